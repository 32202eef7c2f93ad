#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>

namespace connectid::inline v0::testing::detail {

template <auto Function>
struct FreeWith {
  template <class T>
  void operator()(T* object) const noexcept {
    Function(object);
  }
};

using Bio = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using X509Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Ssl = std::unique_ptr<SSL, FreeWith<SSL_free>>;
using SslContext = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;

/// Throws std::runtime_error with OpenSSL's own words unless `good`.
inline void openssl_must(bool good, const char* what) {
  if (good) return;
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  throw std::runtime_error(std::string("connectid::testing: ") + what + ": " + text.data());
}

/// Takes over what an OpenSSL function made; throws where it made nothing.
template <class Owner>
[[nodiscard]] Owner openssl_own(typename Owner::pointer made, const char* what) {
  openssl_must(made != nullptr, what);
  return Owner(made);
}

}  // namespace connectid::inline v0::testing::detail
