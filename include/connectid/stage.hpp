#pragma once

#include <string_view>

#include <connectid/export.hpp>

namespace connectid::inline v0 {

/// How far an attempt had come when it ended.
enum class Stage {
  prepare,    ///< before anything was asked of the network
  token,      ///< getting an access token
  pause,      ///< waiting to be sent: for a slot in the rate limit, or for the time of the next attempt
  resolve,    ///< looking the host's name up
  connect,    ///< TCP, and a proxy's CONNECT
  handshake,  ///< TLS
  send,       ///< connected; the request is going out
  wait,       ///< the request left; no byte of a response yet
  receive,    ///< the response is coming in
};

/// Why it ended there.
enum class Cause {
  timed_out,       ///< a time limit passed: of connecting, of the attempt or of the call
  cancelled,       ///< a stop was requested
  unresolved,      ///< no address for the host or the proxy
  unreachable,     ///< connection refused, no route, TCP failure before a connection stood
  certificate,     ///< the server's certificate did not verify
  tls,             ///< any other failure of the TLS handshake or of a record
  proxy_refused,   ///< the proxy's response to CONNECT was not 2xx
  proxy_denied,    ///< it was 403 or 407: the proxy will not let this request pass, however often it is asked
  closed,          ///< the peer closed the connection
  reset,           ///< the peer reset the connection
  stray_response,  ///< bytes came that no request had asked for: before ours, or behind its response
  malformed,       ///< what came is not HTTP/1.1 by the letter
  too_large,       ///< the response is larger than the limit
  configuration,   ///< a file, URL or option that cannot be used
  other,           ///< none of these; the message says what is known
};

/// The enumerator's name, `handshake`.
[[nodiscard]] CONNECTID_API std::string_view to_string(Stage stage) noexcept;
/// The enumerator's name, `proxy_refused`.
[[nodiscard]] CONNECTID_API std::string_view to_string(Cause cause) noexcept;

}  // namespace connectid::inline v0
