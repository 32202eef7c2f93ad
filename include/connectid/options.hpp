#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include <connectid/auth/token_source.hpp>
#include <connectid/http/transport.hpp>

namespace connectid::inline v0 {

/// How long things may take. Zero or less is no time at all. Deadlines are kept by the steady clock.
struct Timeouts {
  std::chrono::milliseconds connect{10'000};          ///< name, TCP, proxy and TLS of one attempt
  std::chrono::milliseconds attempt_timeout{30'000};  ///< one attempt, connect to response
  std::chrono::milliseconds timeout{120'000};         ///< the whole call, token included
};

/// What one call may have of its own. Fields left out take the client's values; a time of
/// zero or less is no time at all. Fill it with designated initialisers.
///
/// What cannot be used (a call_id or a header that HTTP does not allow, a header that is the SDK's own) is a
/// `configuration_error`, and nothing is sent.
struct CallOptions {
  std::optional<std::chrono::milliseconds> timeout = std::nullopt;          ///< the whole call, token included
  std::optional<std::chrono::milliseconds> attempt_timeout = std::nullopt;  ///< one attempt, connect to response
  std::stop_token stop_token = {};                                          ///< cancels the call
  TokenSource token_source = nullptr;  ///< whose call it is: this one in place of the client's
  /// Sent as `X-Request-Id`: 1 to 128 visible ASCII characters. Empty: a UUIDv7 is made.
  std::string call_id = {};
  /// Sent beside the SDK's own, which cannot be replaced: Accept, Authorization, Content-Type, User-Agent,
  /// X-Request-Id, and what frames the body or belongs to the connection.
  http::Headers headers = {};
};

}  // namespace connectid::inline v0
