#include "base/sha256.hpp"

#include <openssl/evp.h>

#include <new>

namespace connectid::inline v0::detail {

Sha256 sha256(std::string_view text) {
  Sha256 hash{};
  if (EVP_Digest(text.data(), text.size(), hash.data(), nullptr, EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
  return hash;
}

std::string to_hex(const Sha256& hash) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : hash) hex.append({digits[byte >> 4], digits[byte & 0xF]});
  return hex;
}

}  // namespace connectid::inline v0::detail
