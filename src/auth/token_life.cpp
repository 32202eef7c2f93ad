#include "auth/token_life.hpp"

#include <algorithm>

namespace connectid::inline v0::auth {

using std::chrono::milliseconds;

TokenLife life_of(const StoredToken& token, milliseconds ahead, double random, detail::Now now) noexcept {
  constexpr milliseconds longest_margin = std::chrono::seconds{30};
  const milliseconds whole = std::max(token.expires_at - token.obtained_at, milliseconds{0});
  const milliseconds left = std::min(token.expires_at - now.wall, whole);
  const auto ends_at = now.steady + left - std::min(longest_margin, whole / 20);
  const milliseconds window = std::min(ahead, whole / 5);
  if (window <= milliseconds{0}) return {.renew_at = std::chrono::steady_clock::time_point::max(), .ends_at = ends_at};
  const auto earlier = std::chrono::duration<double, std::milli>(window) * (1 - random / 2);
  return {.renew_at = ends_at - std::chrono::round<milliseconds>(earlier), .ends_at = ends_at};
}

}  // namespace connectid::inline v0::auth
