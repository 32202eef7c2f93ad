#pragma once

#include <chrono>

#include <connectid/auth/token_store.hpp>

#include "call/exchange.hpp"

namespace connectid::inline v0::detail {

/// A time by both clocks. It has come as soon as either says so: the steady one stops while a machine sleeps, and the
/// wall clock may be set back.
struct Moment {
  std::chrono::steady_clock::time_point steady;
  Timestamp wall;
  [[nodiscard]] bool has_come(Now now) const noexcept { return now.steady >= steady || now.wall >= wall; }
  [[nodiscard]] static Moment never() noexcept { return {decltype(steady)::max(), Timestamp::max()}; }
};

/// When a token that is in use is to be renewed, and from when on it is not used any more.
struct TokenLife {
  Moment renew_at;
  Moment ends_at;
};

/// Whether a token of the store's may be used: it is not about to end, and was not obtained in the future, as one is
/// that came while the wall clock was wrong.
[[nodiscard]] bool is_live(const auth::StoredToken& token, Timestamp now) noexcept;

/// From the wall times that the store keeps; a wall clock that was set back gives no token more time than it had.
/// `random`, from 0 up to 1, spreads those that were got together. `ahead`: see Renewal.
[[nodiscard]] TokenLife life_of(const auth::StoredToken& token, std::chrono::milliseconds ahead, double random,
                                Now now) noexcept;

}  // namespace connectid::inline v0::detail
