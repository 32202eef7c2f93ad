#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace connectid::inline v0::testing {

/// A server's certificate, made on the spot, and the authority that signed it. All PEM.
struct Certificate {
  std::string authority = {};  ///< trust this one: `CurlOptions::ca_pem`
  std::string chain = {};      ///< the server's certificate
  std::string key = {};        ///< its private key (P-256)
};

/// What the certificate says.
struct CertificateOptions {
  /// DNS names and IP addresses it is valid for.
  std::vector<std::string> hosts = {"localhost", "127.0.0.1", "::1"};
  std::chrono::seconds valid_from = std::chrono::hours{-1};  ///< from now
  std::chrono::seconds valid_for = std::chrono::hours{24};   ///< from now; negative: it has expired
};

/// Throws std::runtime_error where OpenSSL cannot make one.
[[nodiscard]] Certificate make_certificate(const CertificateOptions& options = {});

}  // namespace connectid::inline v0::testing
