#include "rate_limit/schedule.hpp"

#include <algorithm>
#include <cmath>

namespace connectid::inline v0::detail {
namespace {

using namespace std::chrono_literals;
using Duration = Schedule::Duration;
using TimePoint = Schedule::TimePoint;
using Seconds = std::chrono::duration<double>;

/// Two clocks never agree.
constexpr double part_of_the_limits = 0.98;
/// Together with others, who are an estimate, a little more is aimed at: the server's own figure is the last guard.
constexpr double beside_others = 0.985;
constexpr Duration minute_slack = 250ms;
/// A second is short beside the time that requests travel: they leave a little more slowly than the limit allows, so
/// that a slow one and the quick ones behind it do not arrive as too many in one second.
constexpr double part_of_the_schedule = 0.95;
/// Nobody wakes at the very moment: whoever follows one who went late by less than the rest of a gap keeps his time.
constexpr double least_part_of_a_gap = 0.5;
/// A slot that was not used by then belongs to nobody: its holder was killed, or stopped.
constexpr Duration slot_overdue = 1s;

/// The API's window, and so the longest that a response can make anybody wait.
constexpr auto window_length = 60s;
/// Figures come in whole seconds and travel for a while.
constexpr Duration same_window = 1500ms;
/// What figures are rounded to.
constexpr auto whole = 1000ms;
/// After so long without a request, nothing that was learned is worth anything.
constexpr Duration silence = 90s;
/// Nobody knows at first whether others spend the same allowance: a third is left to them until responses tell, but no
/// longer than this.
constexpr Duration careful_for = 3s;
constexpr double careful_part = 2.0 / 3;
/// A response that has not come by then is not waited for.
constexpr Duration response_overdue = 10s;
/// The rate of others is an estimate, and two rates do not interleave evenly.
constexpr double room_for_others = 1.25;
/// Responses do not come in the order in which the server counted.
constexpr double weight_of_a_response = 1.0 / 16;
constexpr Seconds estimate_begins = 2s;
constexpr Seconds estimate_settles = 10s;
/// However much others seem to spend, this part is tried: only a figure of the server itself stops us.
constexpr double least_part = 0.1;

Duration duration(double seconds) { return std::chrono::duration_cast<Duration>(Seconds(seconds)); }

double usable(double rate, double otherwise, double least, double most) {
  return rate > 0 ? std::clamp(rate, least, most) : otherwise;  // false for what is not a number
}

}  // namespace

ScheduleLimits schedule_limits(Rates own) noexcept {
  const Rates api;
  own.per_second = usable(own.per_second, api.per_second, 1e-4, 1e6);
  own.per_minute = usable(own.per_minute, api.per_minute, 1e-3, 1e7);
  return {.own = own,
          .api = {.per_second = std::max(own.per_second, api.per_second),
                  .per_minute = std::max(own.per_minute, api.per_minute)}};
}

// The queue

TimePoint Schedule::reserve(Ticket& ticket, TimePoint now, const ScheduleLimits& limits) {
  forget_after_silence(now);
  drop_overdue(now);
  if (static_cast<std::int64_t>(gone_) >= window_.last) held_until_ = std::max(held_until_, window_.end);
  const Tempo t = tempo(now, limits);
  push_back(t);
  std::size_t index = find(ticket);
  if (index == waiting_) {
    ticket = 0;
    if (waiting_ == queue_.size()) return std::max(now + 1ms, queue_.back().time);
    index = take_slot(now, t);
    ticket = queue_[index].ticket;
  }
  return queue_[index].time;
}

void Schedule::go(Ticket& ticket, TimePoint now) {
  if (const std::size_t index = find(ticket); index < waiting_) erase(index);
  ticket = 0;
  went_[gone_ % went_.size()] = gone_ > 0 ? std::max(now, before(0, 1)) : now;
  ++gone_;
}

void Schedule::give_back(Ticket& ticket) {
  if (const std::size_t index = find(ticket); index < waiting_) {
    erase(index);
    has_holes_ = waiting_ > 0 && (has_holes_ || index < waiting_);
  }
  ticket = 0;
}

/// Those who wait go back as far as the limits, which have changed, or somebody late demand; nobody moves forward, for
/// nobody would know.
void Schedule::push_back(const Tempo& tempo) {
  const Duration least = duration(least_part_of_a_gap * Seconds(tempo.gap).count());
  for (std::size_t i = 0; i < waiting_; ++i) {
    queue_[i].time = std::max(queue_[i].time, earliest(i, i == 0 ? least : tempo.gap, tempo));
  }
}

/// The index of a new slot: in a hole that was given back, or at the end.
std::size_t Schedule::take_slot(TimePoint now, const Tempo& tempo) {
  std::size_t index = waiting_;
  TimePoint time = std::max(now, earliest(index, tempo.gap, tempo));
  for (std::size_t i = 0; has_holes_ && i < waiting_; ++i) {
    const TimePoint hole = std::max(now, earliest(i, tempo.gap, tempo));
    if (hole + tempo.gap > queue_[i].time) continue;
    index = i;
    time = hole;
    break;
  }
  has_holes_ = has_holes_ && index < waiting_;
  last_ticket_ = std::max(last_ticket_ + 1, static_cast<Ticket>(now.time_since_epoch().count()));
  insert(index, {last_ticket_, time});
  return index;
}

/// The earliest time that this slot of the queue may have.
TimePoint Schedule::earliest(std::size_t slot, Duration gap, const Tempo& tempo) const noexcept {
  TimePoint time = held_until_;
  for (const Limit& limit : {Limit{1, gap}, tempo.second, tempo.minute}) {
    if (slot + gone_ >= limit.count) time = std::max(time, before(slot, limit.count) + limit.time);
  }
  return time;
}

/// The time of the n-th before this slot, among those who wait and those who went.
TimePoint Schedule::before(std::size_t slot, std::size_t n) const noexcept {
  return n <= slot ? queue_[slot - n].time : went_[(gone_ + slot - n) % went_.size()];
}

Schedule::Tempo Schedule::tempo(TimePoint now, const ScheduleLimits& limits) const noexcept {
  // What others send, and the estimate may be wrong, leaves no room; the 2 % are for that, too.
  const auto left = [](double api, double others) {
    return std::clamp(beside_others * api - others, least_part * api, part_of_the_limits * api);
  };
  double second = left(limits.api.per_second, room_for_others * others_);
  if (!others_known_ && now - begun_ < careful_for) second *= careful_part;
  second = std::min(second, part_of_the_limits * limits.own.per_second);
  const double minute = std::min(left(limits.api.per_minute, Seconds(window_length).count() * others_),
                                 part_of_the_limits * limits.own.per_minute);
  // Whole requests, and no more than are remembered, in the time that these take: a second or a minute, about.
  const auto limit = [](double rate, double seconds, std::size_t most) {
    const double count = std::clamp(std::ceil(rate - 1e-9), 1.0, static_cast<double>(most));
    return Limit{static_cast<std::size_t>(count), duration(seconds * count / rate)};
  };
  Tempo tempo{.gap = duration(1.0 / (part_of_the_schedule * second)),
              .second = limit(second, 1, went_.size()),
              .minute = limit(minute, 60, went_.size())};
  tempo.minute.time += minute_slack;
  return tempo;
}

std::size_t Schedule::find(Ticket ticket) const noexcept {
  std::size_t i = 0;
  while (i < waiting_ && queue_[i].ticket != ticket) ++i;
  return i;
}

void Schedule::insert(std::size_t index, Slot slot) noexcept {
  std::copy_backward(queue_.begin() + index, queue_.begin() + waiting_, queue_.begin() + waiting_ + 1);
  queue_[index] = slot;
  ++waiting_;
}

void Schedule::erase(std::size_t index) noexcept {
  std::copy(queue_.begin() + index + 1, queue_.begin() + waiting_, queue_.begin() + index);
  --waiting_;
}

void Schedule::drop_overdue(TimePoint now) {
  while (waiting_ > 0 && queue_[0].time + slot_overdue < now) erase(0);
}

// What responses tell

void Schedule::learn(const Allowance& allowance, TimePoint now, const ScheduleLimits& limits) {
  const auto remaining = std::clamp<std::int64_t>(allowance.remaining, 0, 1'000'000'000);
  const auto reset = std::clamp<std::chrono::milliseconds>(allowance.reset, 0ms, window_length);
  const TimePoint end = now + reset;
  const bool opens = end > window_.end + same_window;
  // A whole minute is left, or a whole second of a window that slides, and so is always about to lose its oldest.
  rounded_up_ = rounded_up_ || reset >= window_length || (opens && reset == whole && window_.end != TimePoint());
  responses_ = std::min(responses_ + 1, gone_);
  if (remaining == 0) {
    held_until_ = std::max(held_until_, end);
    return;
  }
  if (end + same_window < window_.end) return;  // of a window that is over: a newer response came first
  if (opens) open_window(remaining, end, now, limits);
  window_.last = std::min(window_.last, counted(now) + remaining);
  const std::int64_t lost = window_.remaining - remaining - (counted(now) - window_.counted);
  window_.lost += (static_cast<double>(lost) - window_.lost) * weight_of_a_response;
  estimate_others(now, limits);
}

void Schedule::open_window(std::int64_t remaining, TimePoint end, TimePoint now, const ScheduleLimits& limits) {
  const std::int64_t ours = counted(now);
  const std::int64_t in_flight = static_cast<std::int64_t>(gone_) - ours;
  const TimePoint begin = end - window_length - (rounded_up_ ? whole : 0s);
  const std::int64_t spent = static_cast<std::int64_t>(limits.api.per_minute) - remaining;
  window_ = {.end = end,
             .anchor = now,
             .before_anchor = std::max<Duration>(now - begin - whole / 2, 0s),
             .remaining = remaining,
             .counted = ours,
             .others = static_cast<double>(std::max<std::int64_t>(spent - (gone_since(begin) - in_flight), 0)),
             .lost = 0,
             .last = ours + remaining,
             .others_before = others_,
             .known_before = others_known_};
}

/// What the allowance lost beyond what we spent, by the time that it took. A window's first seconds tell little: there
/// the rate that was known before stands in.
void Schedule::estimate_others(TimePoint now, const ScheduleLimits& limits) {
  const double others = window_.others + std::max(window_.lost, 0.0);  // less: what left a window that slides
  const Seconds elapsed = window_.before_anchor + (now - window_.anchor);
  const Seconds settled = window_.known_before ? estimate_settles : Seconds(1);
  const double missing = std::max(0.0, (settled - elapsed).count());
  const double rate = (others + window_.others_before * missing) / std::max(elapsed.count(), settled.count());
  others_ = std::min(rate, limits.api.per_second);
  others_known_ = others_known_ || elapsed > estimate_settles || now - window_.anchor > estimate_begins;
}

/// How many of ours the server has counted: all but those in flight.
std::int64_t Schedule::counted(TimePoint now) {
  responses_ = std::max(responses_, gone_ - static_cast<std::uint64_t>(gone_since(now - response_overdue)));
  return static_cast<std::int64_t>(responses_);
}

std::int64_t Schedule::gone_since(TimePoint time) const noexcept {
  const std::size_t known = std::min<std::uint64_t>(gone_, went_.size());
  std::size_t n = 0;
  for (std::size_t most = known; n < most;) {  // the n-th last went later, the one before `most` did not
    const std::size_t middle = n + (most - n + 1) / 2;
    if (before(0, middle) > time) {
      n = middle;
    } else {
      most = middle - 1;
    }
  }
  return static_cast<std::int64_t>(n);
}

void Schedule::forget_after_silence(TimePoint now) {
  if (gone_ > 0 && now - before(0, 1) < silence) return;
  if (begun_ != TimePoint() && now - begun_ < silence) return;
  begun_ = now;
  window_ = {};
  others_ = 0;
  others_known_ = false;
  rounded_up_ = false;
}

bool Schedule::plausible(TimePoint now) const noexcept {
  // Nobody went later than now, nor is held for longer than a window. A minute more: `now` was read a while ago.
  const TimePoint went = gone_ > 0 ? before(0, 1) : TimePoint();
  return waiting_ <= queue_.size() && std::max(went, held_until_ - window_length) - 1min < now;
}

}  // namespace connectid::inline v0::detail
