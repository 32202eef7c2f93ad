#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include <connectid/export.hpp>
#include <connectid/http/transport.hpp>

namespace connectid::inline v0::http {

/// How CurlTransport connects. Fill it with designated initialisers.
struct CurlOptions {
  std::string ca_file = {};  ///< PEM bundle to trust instead of the system's; empty: the system's. Not for a proxy.
  std::string ca_pem = {};   ///< the same as text, used before ca_file
  std::string client_certificate = {};  ///< PEM file; empty: none
  std::string client_key = {};          ///< PEM file; empty: the key is in client_certificate
  Secret client_key_password = {};      ///< empty: the key is not encrypted
  Secret proxy = {};  ///< `http://[user:password@]host:port`; empty: https_proxy, all_proxy and no_proxy decide
  std::chrono::milliseconds max_idle{4000};  ///< a connection idle for longer is not used again
  std::size_t max_body = 1024 * 1024;        ///< bytes of an answer's body, after decompression
  std::size_t max_headers = 64 * 1024;       ///< bytes of an answer's header sections, interim answers included
  std::size_t max_idle_handles = 16;         ///< how many idle handles, each with its connections, are kept
};

/// HTTP/1.1 over libcurl (7.87 or newer), made so that a request leaves at most once: see docs/design.md.
///
/// - A dead idle connection is replaced only while no byte of the body has left.
/// - An answer that comes before the body left is never taken for this request's. (Of a request without a body that
///   cannot be told: a stray answer on an idle connection would be believed.)
/// - Redirects, cookies, netrc, Alt-Svc, HSTS and authentication challenges are not followed.
/// - TLS 1.2 or newer, always verified. Plain http goes only to `localhost`, 127.0.0.0/8 and [::1], never to a proxy.
/// - A deadline or a requested stop ends a call within milliseconds, in name look-up too.
///
/// Thread-safe. One call uses one handle; handles, with their connections, are used again, the newest first.
/// Whatever cannot be used (a file, a URL, too old a libcurl) is a Failure with Cause::configuration of every call.
class CONNECTID_API CurlTransport final : public Transport {
 public:
  /// Opens nothing yet, and does not throw for what cannot be used.
  explicit CurlTransport(CurlOptions options);
  /// With the default options.
  CurlTransport() : CurlTransport(CurlOptions()) {}
  ~CurlTransport() override;

  /// One attempt; see Transport::perform.
  [[nodiscard]] Reply perform(const Request& request, const Limits& limits) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace connectid::inline v0::http
