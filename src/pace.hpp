#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <connectid/rate_limit.hpp>

namespace connectid::inline v0::detail {

/// What a line may let through: its owner's rates, and those of the whole allowance, which others may spend, too.
struct PaceLimits {
  Rates own;
  Rates api;
};

/// A rate that is no number above zero counts as the API's own; the others are kept within what can be counted.
[[nodiscard]] PaceLimits pace_limits(Rates own) noexcept;

/// A line of requests in which each has a place, which is a time. Pure: it reads no clock and does no I/O, so that the
/// same rules hold in memory and in a file. Trivially copyable: its bytes are what the file holds.
class Pace {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  /// A place as its holder remembers it. The line may move later as a whole; `ready` says what its time is now.
  struct Place {
    Duration offset{};
  };

  /// The earliest free place.
  [[nodiscard]] Place reserve(TimePoint now, const PaceLimits& limits);
  /// When the holder of this place may go: `now` or earlier, or later, and then it is to be asked again.
  [[nodiscard]] TimePoint ready(Place place, TimePoint now, const PaceLimits& limits);
  /// The holder goes.
  void go(Place place, TimePoint now);
  /// The holder does not go, and whoever comes next may have the place.
  void give_back(Place place);
  /// What an answer said of the allowance.
  void learn(std::int64_t remaining, std::chrono::milliseconds reset, TimePoint now, const PaceLimits& limits);

  /// Whether these times can be of a clock that shows `now`.
  [[nodiscard]] bool plausible(TimePoint now) const noexcept;

 private:
  /// How fast the line may go now: so many within a time, of both kinds, and the least gap between two.
  struct Tempo {
    std::size_t burst;
    Duration burst_time;
    std::size_t minute;
    Duration minute_time;
    Duration gap;
  };
  /// The server's window, as far as its answers show it.
  struct Window {
    TimePoint end{};                   ///< when it is renewed
    TimePoint anchor{};                ///< when its first answer came
    Duration before_anchor{};          ///< how long it had run by then
    std::int64_t remaining = 0;        ///< at the anchor
    std::int64_t counted = 0;          ///< ours that the server had counted, at the anchor
    std::int64_t others = 0;           ///< of others within the window, at the anchor
    std::int64_t least_remaining = 0;  ///< of all its answers
    std::int64_t last = 0;             ///< no request beyond this one until its end
    double others_before = 0;          ///< `others_`, at the anchor
    bool known_before = false;         ///< `others_known_`, at the anchor
  };

  [[nodiscard]] Tempo tempo(TimePoint now, const PaceLimits& limits) const noexcept;
  [[nodiscard]] TimePoint& at(std::size_t index) noexcept { return places_[(begin_ + index) % places_.size()]; }
  [[nodiscard]] const TimePoint& at(std::size_t index) const noexcept {
    return places_[(begin_ + index) % places_.size()];
  }
  [[nodiscard]] std::size_t after(TimePoint time) const noexcept;
  [[nodiscard]] std::size_t find(TimePoint time) const noexcept;
  void insert(std::size_t index, TimePoint time) noexcept;
  void erase(std::size_t index) noexcept;
  [[nodiscard]] TimePoint minute_rule(std::size_t index, const Tempo& tempo) const noexcept;
  [[nodiscard]] TimePoint in_a_hole(TimePoint now, const Tempo& tempo);
  [[nodiscard]] TimePoint time_of(Place place) const noexcept { return TimePoint(place.offset + moved_); }
  [[nodiscard]] TimePoint nth_last_go(std::size_t n) const noexcept;
  void hold(TimePoint now, TimePoint until);
  void move_line(TimePoint now, TimePoint to);
  void forget_after_silence(TimePoint now);
  [[nodiscard]] std::int64_t counted(TimePoint now);
  void open_window(std::int64_t remaining, TimePoint end, TimePoint now, const PaceLimits& limits);
  void estimate_others(TimePoint now, const PaceLimits& limits);

  /// Times of those who went and of those who wait, sorted; a ring.
  std::array<TimePoint, 2048> places_{};
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  Duration moved_{};        ///< how far the line has moved since it was begun
  bool has_holes_ = false;  ///< whether a place may be free among those who wait

  std::array<TimePoint, 128> goes_{};  ///< when the last ones really went; a ring
  std::int64_t gone_ = 0;
  std::int64_t answered_ = 0;

  TimePoint begun_{};       ///< when the first one came after a silence
  TimePoint held_until_{};  ///< nobody goes before
  Window window_{};
  double others_ = 0;  ///< what others send, a second
  bool others_known_ = false;
};

}  // namespace connectid::inline v0::detail
