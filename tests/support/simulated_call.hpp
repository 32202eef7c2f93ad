#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <connectid/subscription/start_subscription.hpp>

#include "call/admission.hpp"
#include "endpoints/endpoint.hpp"

namespace connectid::detail {

/// An Exchange and what it shares with others: what comes out of `next` are the actions that take time.
class SimulatedCall {
 public:
  SimulatedCall(Exchange exchange, const Shared& shared) : exchange_(std::move(exchange)), admission_(shared) {}

  [[nodiscard]] Action next(Event event, Now now) { return admission_.next(exchange_, std::move(event), now); }

 private:
  Exchange exchange_;
  Admission admission_;
};

/// A simulated clock, what the calls of one client share, and calls under them.
class SimulatedCalls {
 public:
  explicit SimulatedCalls(int budget = 1000, RateLimit limit = RateLimit::off(), int break_circuit_after = 0)
      : limiter_(std::move(limit)), budget_(budget), breaker_(break_circuit_after) {}

  [[nodiscard]] Now now() const {
    return {std::chrono::steady_clock::time_point{} + elapsed,
            Timestamp{std::chrono::milliseconds{1775012407123}} + elapsed};
  }

  /// By itself, without what it shares.
  [[nodiscard]] Exchange exchange(const Timeouts& timeouts = {}, const RetryPolicy& retry = {},
                                  Repeat repeat = Repeat::never) const {
    return {Call{.request = {.method = "POST",
                             .url = "u",
                             .headers = {{"X-Request-Id", "id-1"}},
                             .authorization = {},
                             .body = "b"},
                 .read = [](std::string_view body) { return decode(endpoint_of(StartSubscriptionRequest{}), body); },
                 .repeat = repeat,
                 .timeouts = timeouts,
                 .retry = retry},
            now()};
  }

  [[nodiscard]] SimulatedCall make(const Timeouts& timeouts = {}, const RetryPolicy& retry = {},
                                   Repeat repeat = Repeat::never) {
    return {exchange(timeouts, retry, repeat), shared()};
  }

  [[nodiscard]] Shared shared() {
    return {.limiter = limiter_, .budget = budget_, .breaker = breaker_, .random = [] { return 0.5; }};
  }
  [[nodiscard]] CircuitBreaker& breaker() { return breaker_; }

  std::chrono::milliseconds elapsed{0};

 private:
  Limiter limiter_;
  RetryBudget budget_;
  CircuitBreaker breaker_;
};

inline http::Response ok() {
  return {.status = 200, .headers = {}, .body = R"({"status":"OK"})", .framed = true, .truncated = {}};
}

inline http::Response response(int status, http::Headers headers = {}, std::string body = {}) {
  return {.status = status, .headers = std::move(headers), .body = std::move(body), .framed = true, .truncated = {}};
}

inline http::Failure failure(Stage stage, Cause cause, bool body_left) {
  return {.stage = stage, .cause = cause, .body_left = body_left, .text = std::string(to_string(cause))};
}

}  // namespace connectid::detail
