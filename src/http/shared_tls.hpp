#pragma once

#include <curl/curl.h>

#include <array>
#include <connectid/http/curl_transport.hpp>
#include <memory>
#include <mutex>
#include <string>

#include "base/fd.hpp"

struct x509_store_st;

namespace connectid::inline v0::detail {

/// What the TLS connections of one transport share: authorities that were read once (each connection would else read
/// them anew, for 30 ms and a megabyte), and sessions, so that a second handshake is a short one. Thread-safe; outlives
/// the connections that use it.
class SharedTls {
 public:
  /// Reads nothing yet. `options` must outlive it.
  explicit SharedTls(const http::CurlOptions& options);
  SharedTls(const SharedTls&) = delete;
  SharedTls& operator=(const SharedTls&) = delete;
  ~SharedTls();

  /// The authorities; null where libcurl must read them itself: its TLS is not the OpenSSL that this library has, or
  /// they cannot be read (it says why).
  [[nodiscard]] x509_store_st* authorities();
  /// A file that holds `ca_pem`, for a TLS library that takes authorities from files alone. Empty: none can be made.
  [[nodiscard]] std::string authorities_file();
  /// Null: no memory for it; each handshake is then a long one.
  [[nodiscard]] CURLSH* sessions() const noexcept { return sessions_.get(); }

 private:
  struct FreeStore {
    void operator()(x509_store_st* store) const noexcept;
  };
  struct FreeShare {
    void operator()(CURLSH* share) const noexcept { curl_share_cleanup(share); }
  };
  using Store = std::unique_ptr<x509_store_st, FreeStore>;
  static Store read_authorities(const http::CurlOptions& options);

  const http::CurlOptions& options_;
  std::once_flag read_once_;
  Store authorities_;
  std::once_flag written_once_;
  Fd authorities_file_;
  std::array<std::mutex, CURL_LOCK_DATA_LAST> locks_;
  std::unique_ptr<CURLSH, FreeShare> sessions_;
};

}  // namespace connectid::inline v0::detail
