#include "auth/token_life.hpp"

#include <algorithm>

namespace connectid::inline v0::detail {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// A store may say anything; beyond this, adding up would overflow a clock.
constexpr milliseconds longest_life = std::chrono::hours{24 * 366};

/// As far as the clocks of machines that share a store may be apart.
constexpr milliseconds clocks_differ_by = seconds{1};

milliseconds between(Timestamp from, Timestamp to) noexcept {
  constexpr Timestamp first{milliseconds{0}}, last{std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}};
  return std::clamp(to, first, last) - std::clamp(from, first, last);
}

milliseconds whole_life(const auth::StoredToken& token) noexcept {
  return std::clamp(between(token.obtained_at, token.expires_at), milliseconds{0}, longest_life);
}

/// Servers count whole seconds, so that up to one is missing; requests take time; and clocks differ. What is given no
/// more than that is used for a second.
milliseconds margin(milliseconds whole) noexcept {
  constexpr milliseconds shortest{1500}, longest = seconds{30};
  return whole <= shortest ? whole - seconds{1} : std::clamp(whole / 20, shortest, longest);
}

Moment after(Now now, milliseconds time) noexcept { return {now.steady + time, now.wall + time}; }

}  // namespace

bool is_live(const auth::StoredToken& token, Timestamp now) noexcept {
  const bool obtained = between(token.obtained_at, now) >= -clocks_differ_by;
  const bool ended = between(now, token.expires_at) <= margin(whole_life(token));
  return !token.access_token.empty() && obtained && !ended;
}

TokenLife life_of(const auth::StoredToken& token, milliseconds ahead, double random, Now now) noexcept {
  const milliseconds whole = whole_life(token);
  const milliseconds left = std::clamp(between(now.wall, token.expires_at), -longest_life, whole);
  const milliseconds usable = left - margin(whole);
  const milliseconds window = std::min(ahead, whole / 5);
  if (window <= milliseconds{0}) return {.renew_at = Moment::never(), .ends_at = after(now, usable)};
  const auto earlier = std::chrono::duration<double, std::milli>(window) * (1 - random / 2);
  return {.renew_at = after(now, usable - std::chrono::round<milliseconds>(earlier)), .ends_at = after(now, usable)};
}

}  // namespace connectid::inline v0::detail
