#pragma once

#include <connectid/auth/token_store.hpp>

#include <string>

namespace connectid {

/// What is saved as the n-th. Of many lengths, so that a piece of one before or behind another would be seen.
inline auth::StoredToken numbered_token(int n) {
  const auto number = static_cast<std::size_t>(n);
  return {.access_token = "canary-access-" + std::to_string(n),
          .obtained_at = Timestamp{std::chrono::milliseconds{n}},
          .expires_at = Timestamp{std::chrono::milliseconds{n}} + std::chrono::hours{12},
          .refresh_token = std::string(number * 7919 % 50'000 + 1, static_cast<char>('a' + n % 26)),
          .api_url = "https://api.test/capi",
          .login_url = "https://login.test/user",
          .client_id = std::to_string(n)};
}

}  // namespace connectid
