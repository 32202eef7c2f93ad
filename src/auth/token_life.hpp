#pragma once

#include <chrono>

#include <connectid/auth/token_store.hpp>

#include "call/exchange.hpp"

namespace connectid::inline v0::detail {

/// When a token that is in use is to be renewed, and from when on it is not used any more.
struct TokenLife {
  std::chrono::steady_clock::time_point renew_at;
  std::chrono::steady_clock::time_point ends_at;
};

/// The wall time from when on the token is not used any more: a little before the authorization server says that it
/// ends.
[[nodiscard]] Timestamp usable_until(const auth::StoredToken& token) noexcept;

/// By the wall times that the store keeps, ending as `usable_until`; a wall clock that was set back gives no token more
/// time than it had. `random`, from 0 up to 1, spreads those that were got together. `ahead`: see Renewal.
[[nodiscard]] TokenLife life_of(const auth::StoredToken& token, std::chrono::milliseconds ahead, double random,
                                Now now) noexcept;

}  // namespace connectid::inline v0::detail
