#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <connectid/rate_limit/rate_limit.hpp>

namespace connectid::inline v0::detail {

/// What a queue may let through: its owner's rates, and those of the whole allowance, which others may spend, too.
struct ScheduleLimits {
  Rates own;
  Rates api;
};

/// A rate that is no number above zero counts as the API's own; the others are kept within what can be counted.
[[nodiscard]] ScheduleLimits schedule_limits(Rates own) noexcept;

/// What a response says of the allowance: so many requests are left until so long from now.
struct Allowance {
  std::int64_t remaining = 0;
  std::chrono::milliseconds reset{0};
};

/// A queue of requests in which each has a slot, which is a time. Pure: it reads no clock and does no I/O, so that the
/// same rules hold in memory and in a file. Trivially copyable: its bytes are what the file holds.
class alignas(32) Schedule {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;
  /// By it the holder of a slot is known; 0: of none.
  using Ticket = std::uint64_t;

  /// When the holder may go: `now` or earlier, or later, and then it is to be asked again. Whoever has no slot gets
  /// the earliest that is free; while the queue is full, only the time to ask for one.
  [[nodiscard]] TimePoint reserve(Ticket& ticket, TimePoint now, const ScheduleLimits& limits);
  /// The holder goes.
  void go(Ticket& ticket, TimePoint now);
  /// The holder does not go, and whoever comes next may have the slot.
  void give_back(Ticket& ticket);
  void learn(const Allowance& allowance, TimePoint now, const ScheduleLimits& limits);

  /// Whether these times can be of a clock that shows `now`. TimePoint::max(): of any.
  [[nodiscard]] bool plausible(TimePoint now) const noexcept;

 private:
  struct Slot {
    Ticket ticket = 0;
    TimePoint time{};
  };
  /// So many within a time.
  struct Limit {
    std::size_t count;
    Duration time;
  };
  /// How fast the queue may go now.
  struct Tempo {
    Duration gap;
    Limit second;
    Limit minute;
  };
  /// The server's window, as far as its responses show it.
  struct Window {
    TimePoint end{};             ///< when it is renewed
    TimePoint anchor{};          ///< when its first response came
    Duration before_anchor{};    ///< how long it had run by then
    std::int64_t remaining = 0;  ///< at the anchor
    std::int64_t counted = 0;    ///< ours that the server had counted, at the anchor
    double others = 0;           ///< of others within the window, at the anchor
    double lost = 0;             ///< to others since the anchor, smoothed
    std::int64_t last = 0;       ///< no request beyond this one until its end
    double others_before = 0;    ///< `others_`, at the anchor
    bool known_before = false;   ///< `others_known_`, at the anchor
  };

  [[nodiscard]] Tempo tempo(TimePoint now, const ScheduleLimits& limits) const noexcept;
  [[nodiscard]] TimePoint before(std::size_t slot, std::size_t n) const noexcept;
  [[nodiscard]] TimePoint earliest(std::size_t slot, Duration gap, const Tempo& tempo) const noexcept;
  [[nodiscard]] std::size_t find(Ticket ticket) const noexcept;
  void forget_after_silence(TimePoint now);
  void drop_overdue(TimePoint now);
  void push_back(const Tempo& tempo);
  [[nodiscard]] std::size_t take_slot(TimePoint now, const Tempo& tempo);
  void insert(std::size_t index, Slot slot) noexcept;
  void erase(std::size_t index) noexcept;

  [[nodiscard]] std::int64_t gone_since(TimePoint time) const noexcept;
  [[nodiscard]] std::int64_t counted(TimePoint now);
  void open_window(std::int64_t remaining, TimePoint end, TimePoint now, const ScheduleLimits& limits);
  void estimate_others(TimePoint now, const ScheduleLimits& limits);

  std::array<TimePoint, 2048> went_{};  ///< when the last ones went; a ring
  std::array<Slot, 1024> queue_{};      ///< those who wait, by their times
  std::uint64_t gone_ = 0;              ///< how many ever went
  std::size_t waiting_ = 0;             ///< how many are in the queue
  Ticket last_ticket_ = 0;
  bool has_holes_ = false;  ///< whether a slot may be free within the queue

  TimePoint begun_{};       ///< when the first one came after a silence
  TimePoint held_until_{};  ///< nobody goes before
  std::uint64_t responses_ = 0;
  Window window_{};
  double others_ = 0;  ///< what others send, a second
  bool others_known_ = false;
  bool rounded_up_ = false;  ///< the server's whole seconds are
};

}  // namespace connectid::inline v0::detail
