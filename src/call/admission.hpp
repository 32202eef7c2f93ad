#pragma once

#include "call/exchange.hpp"
#include "call/retry.hpp"
#include "rate_limit/limiter.hpp"

namespace connectid::inline v0::detail {

/// What the calls of one client share. Thread-safe.
struct Shared {
  Limiter& limiter;
  RetryBudget& budget;
  CircuitBreaker& breaker;
  double (*random)();  ///< from 0 up to 1
};

/// One call among those of its client. It lives as long as the call: its end gives back what was reserved and not used.
class Admission {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Admission(const Shared& shared) noexcept
      : shared_(shared), passage_(shared.breaker), reservation_(shared.limiter) {}

  /// The Exchange's next action that takes time: a Reserve is answered here and never comes out.
  [[nodiscard]] Action next(Exchange& exchange, Event event, Now now);

  void learn(const Lesson& lesson, TimePoint now);
  [[nodiscard]] Event reserve(TimePoint now);
  [[nodiscard]] bool may_begin(const Wait& wait) noexcept { return !wait.costs_a_repeat || shared_.budget.take(); }
  void give_back();

 private:
  Shared shared_;
  Passage passage_;
  Reservation reservation_;
};

}  // namespace connectid::inline v0::detail
