#pragma once

#include <atomic>
#include <chrono>

#include <connectid/options.hpp>

namespace connectid::inline v0::detail {

/// The pause before the next attempt, `attempts` (1 or more) having been made: a random part of a time that doubles
/// with each. `random` is from 0 up to 1.
[[nodiscard]] std::chrono::milliseconds back_off(const RetryPolicy& policy, int attempts, double random);

/// The pause that a server named, no longer than the policy allows, and a little more, so that not all who were told
/// the same come back in the same moment.
[[nodiscard]] std::chrono::milliseconds after_named_pause(const RetryPolicy& policy, std::chrono::milliseconds named,
                                                          double random);

/// How many attempts the calls of one client may make again, together. Thread-safe.
class RetryBudget {
 public:
  explicit RetryBudget(int repeats) noexcept;

  /// One repeat; `false`: none is left.
  [[nodiscard]] bool take() noexcept;
  /// A server responded: a tenth of a repeat comes back, never more than there were.
  void give_back_a_tenth() noexcept;

 private:
  int full_;  ///< in tenths
  std::atomic<int> left_;
};

}  // namespace connectid::inline v0::detail
