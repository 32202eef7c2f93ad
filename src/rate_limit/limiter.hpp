#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <connectid/rate_limit/rate_limit.hpp>

#include "rate_limit/schedule.hpp"

namespace connectid::inline v0::detail {

/// Where a turn stands.
struct Place {
  std::size_t line = 0;     ///< which of the limit's lines, one after the other
  Pace::Ticket ticket = 0;  ///< 0: no place in it yet
  bool alone = false;       ///< the place is in the line that is kept while the file cannot be used
};

/// What the calls of one client stand in line at. Thread-safe.
class Pacer {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// `per_client` gets a limit of its own here; the other kinds join theirs.
  explicit Pacer(const RateLimit& limit);
  ~Pacer();

  /// What an answer says of the allowance: so many requests are left until so long from now.
  void learn(std::int64_t remaining, std::chrono::milliseconds reset, TimePoint now);

 private:
  friend class Turn;
  std::shared_ptr<const RateLimit::State> state_;  ///< none: there is no limit
};

/// One attempt's place in the line. Its end gives the place back where it was not used.
class Turn {
 public:
  explicit Turn(Pacer& pacer) noexcept : pacer_(&pacer) {}
  Turn(Turn&& other) noexcept;
  Turn& operator=(Turn&& other) noexcept;
  ~Turn();

  /// When the request may be sent: `now` or earlier, and the place is used; or later, and it is to be asked again then.
  /// The first time it takes a place; so does the first time after one was used.
  [[nodiscard]] Pacer::TimePoint ask(Pacer::TimePoint now);

 private:
  Pacer* pacer_;
  Place place_;
};

}  // namespace connectid::inline v0::detail
