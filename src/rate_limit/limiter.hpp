#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

#include <connectid/rate_limit/rate_limit.hpp>

#include "rate_limit/schedule.hpp"

namespace connectid::inline v0::detail {

/// What a reservation has.
struct HeldSlot {
  std::size_t queue = 0;        ///< which of the limit's queues, one after the other
  Schedule::Ticket ticket = 0;  ///< 0: no slot in it yet
  bool alone = false;           ///< the slot is in no file, and so this process's alone
};

/// The rate limit of one client. Thread-safe.
class Limiter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// `per_client` gets a limit of its own here; the other kinds join theirs.
  explicit Limiter(const RateLimit& limit);
  ~Limiter();

  void learn(const Allowance& allowance, TimePoint now);

 private:
  friend class Reservation;
  std::shared_ptr<const RateLimit::State> state_;  ///< none: there is no limit
};

/// One attempt's slot in the queue. Its end gives the slot back where it was not used.
class Reservation {
 public:
  explicit Reservation(Limiter& limiter) noexcept : limiter_(&limiter) {}
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation();

  /// When the request may be sent: `now` or earlier, and the slot is used; or later, and it is to be asked again then.
  /// The first time it takes a slot; so does the first time after one was used.
  [[nodiscard]] Limiter::TimePoint ask(Limiter::TimePoint now);

 private:
  Limiter* limiter_;
  HeldSlot slot_;
};

}  // namespace connectid::inline v0::detail
