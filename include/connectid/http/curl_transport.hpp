#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include <connectid/export.hpp>
#include <connectid/http/transport.hpp>

namespace connectid::inline v0::http {

/// How CurlTransport connects. Fill it with designated initialisers.
struct CurlOptions {
  /// PEM bundle: its authorities are trusted, and no others; empty: the system's. Read once. A proxy that is
  /// spoken to over TLS is verified by the system's.
  std::filesystem::path ca_file = {};
  std::string ca_pem = {};                        ///< the same as text, used before ca_file
  std::filesystem::path client_certificate = {};  ///< PEM file; empty: none
  std::filesystem::path client_key = {};          ///< PEM file; empty: the key is in client_certificate
  Secret client_key_password = {};                ///< empty: the key is not encrypted
  /// `http://[user:password@]host:port`, or https, socks5, socks5h; empty: https_proxy, all_proxy and no_proxy decide.
  Secret proxy = {};
  /// A connection idle for longer is not used again, nor one whose server said that it would close it before
  /// (`Keep-Alive: timeout=…`). Counted while the machine sleeps, too. 0: none is used again.
  std::chrono::milliseconds max_idle{2000};
  std::size_t max_body = 1024 * 1024;     ///< bytes of a response's body
  std::size_t max_headers = 64 * 1024;    ///< bytes of a response's headers, interim responses' and trailers included
  std::size_t max_idle_connections = 16;  ///< how many idle connections are kept
};

/// HTTP/1.1 of this library's own over connections that libcurl (7.88 or newer) makes: names, TCP, proxies, TLS.
///
/// - One attempt is one request on one connection. Nothing below sends it again: see docs/design.md.
/// - An idle connection is looked at before it is used. One that is closed, or on which bytes came unasked, is dropped,
///   and the attempt goes on with another: not a byte had left.
/// - A response that comes before the whole request left is the response (`Response::left`). One that is not HTTP/1.1
///   by the letter, or has bytes behind it, is none.
/// - No content coding is asked for, and none is read.
/// - Redirects, cookies and authentication challenges are not followed.
/// - TLS 1.2 or newer, always verified. Plain http goes only to `localhost`, 127.0.0.0/8 and [::1], never to a proxy.
/// - A deadline or a requested stop ends a call within milliseconds, in name look-up too.
///
/// Thread-safe. Each attempt has a connection to itself; it is kept for the next one, the newest first.
/// Whatever cannot be used (a file, a URL, too old a libcurl) is a Failure with Cause::configuration of every call.
class CONNECTID_API CurlTransport final : public Transport {
 public:
  /// Opens nothing yet, and does not throw for what cannot be used.
  explicit CurlTransport(CurlOptions options);
  /// With the default options.
  CurlTransport() : CurlTransport(CurlOptions()) {}
  ~CurlTransport() override;

  /// One attempt; see Transport::perform.
  [[nodiscard]] AttemptResult perform(const Request& request, const Limits& limits) override;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // of the connections that are kept for a repeat, too
};

}  // namespace connectid::inline v0::http
