#pragma once

#include <chrono>
#include <string_view>

#include <connectid/secret.hpp>

#include "call/classify.hpp"

namespace connectid::inline v0::detail {

struct TokenResponse {
  Reading reading;
  Secret access_token = {};
  /// Empty: the response has none. It is there where it can be read, even if nothing else can: the one that it replaces
  /// may be worth nothing any more.
  Secret refresh_token = {};
  std::chrono::seconds expires_in = std::chrono::hours{12};  ///< absent: what the API's documentation says
};

/// The body of the token endpoint's 200 (RFC 6749 section 5.1). `expires_in` may be a number or a text that holds one.
/// Unknown fields are ignored; null counts as absent.
[[nodiscard]] TokenResponse decode_token(std::string_view body);

}  // namespace connectid::inline v0::detail
