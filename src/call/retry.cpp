#include "call/retry.hpp"

#include <algorithm>
#include <cmath>

namespace connectid::inline v0::detail {

using std::chrono::milliseconds;

namespace {

constexpr int whole = 10;
constexpr milliseconds none{0};
constexpr milliseconds a_day = std::chrono::hours{24};  // longer is no pause; it keeps the doubling from overflow

milliseconds part(milliseconds time, double fraction) {
  return milliseconds{std::llround(static_cast<double>(time.count()) * fraction)};
}

}  // namespace

milliseconds back_off(const RetryPolicy& policy, int attempts, double random) {
  milliseconds limit = std::clamp(policy.first_pause, none, a_day);
  const milliseconds longest = std::clamp(policy.longest_pause, none, a_day);
  for (int i = 1; i < attempts && limit < longest; ++i) limit *= 2;
  return part(std::min(limit, longest), random);
}

milliseconds after_named_pause(const RetryPolicy& policy, milliseconds named, double random) {
  const milliseconds pause = std::clamp(named, none, std::max(policy.longest_named_pause, none));
  return pause + part(std::max(pause / 10, milliseconds{100}), random);
}

RetryBudget::RetryBudget(int repeats) noexcept : full_(std::clamp(repeats, 0, 1'000'000) * whole), left_(full_) {}

bool RetryBudget::take() noexcept {
  int left = left_.load();
  while (left >= whole) {
    if (left_.compare_exchange_weak(left, left - whole)) return true;
  }
  return false;
}

void RetryBudget::give_back_a_tenth() noexcept {
  int left = left_.load();
  while (left < full_ && !left_.compare_exchange_weak(left, left + 1)) {
  }
}

}  // namespace connectid::inline v0::detail
