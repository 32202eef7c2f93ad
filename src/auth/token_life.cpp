#include "auth/token_life.hpp"

#include <algorithm>

namespace connectid::inline v0::detail {

using std::chrono::milliseconds;

namespace {

/// A store may say anything; beyond this, adding up would overflow a clock.
constexpr milliseconds longest_life = std::chrono::hours{24 * 366};

milliseconds between(Timestamp from, Timestamp to) noexcept {
  constexpr Timestamp first{milliseconds{0}}, last{std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}};
  return std::clamp(to, first, last) - std::clamp(from, first, last);
}

milliseconds whole_life(const auth::StoredToken& token) noexcept {
  return std::clamp(between(token.obtained_at, token.expires_at), milliseconds{0}, longest_life);
}

/// Requests take time, and clocks differ.
milliseconds margin(const auth::StoredToken& token) noexcept {
  constexpr milliseconds longest = std::chrono::seconds{30};
  return std::min(longest, whole_life(token) / 20);
}

}  // namespace

Timestamp usable_until(const auth::StoredToken& token) noexcept { return token.expires_at - margin(token); }

TokenLife life_of(const auth::StoredToken& token, milliseconds ahead, double random, Now now) noexcept {
  const milliseconds whole = whole_life(token);
  const milliseconds left = std::clamp(between(now.wall, token.expires_at), -longest_life, whole);
  const auto ends_at = now.steady + left - margin(token);
  const milliseconds window = std::min(ahead, whole / 5);
  if (window <= milliseconds{0}) return {.renew_at = std::chrono::steady_clock::time_point::max(), .ends_at = ends_at};
  const auto earlier = std::chrono::duration<double, std::milli>(window) * (1 - random / 2);
  return {.renew_at = ends_at - std::chrono::round<milliseconds>(earlier), .ends_at = ends_at};
}

}  // namespace connectid::inline v0::detail
