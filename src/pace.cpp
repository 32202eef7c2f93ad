#include "pace.hpp"

#include <algorithm>
#include <cmath>

namespace connectid::inline v0::detail {
namespace {

using namespace std::chrono_literals;
using Duration = Pace::Duration;
using TimePoint = Pace::TimePoint;
using Seconds = std::chrono::duration<double>;

/// Two clocks never agree, and a request does not arrive when it leaves.
constexpr double part_of_the_limits = 0.98;
constexpr Duration minute_slack = 250ms;
/// Whoever is late may catch up, but so that requests still leave one by one.
constexpr double least_part_of_a_gap = 0.8;
/// How many gaps the line may lag behind its times before it is moved.
constexpr int bearable_lag = 8;

/// The API's window, and so the longest that an answer can make anybody wait.
constexpr Duration window_length = 60s;
/// Figures come in whole seconds and travel for a while.
constexpr Duration same_window = 1500ms;
/// After so long without a request, nothing that was learned is worth anything.
constexpr Duration silence = 90s;
/// Nobody knows at first whether others spend the same allowance: half speed until answers tell, but no longer.
constexpr Duration careful_for = 3s;
constexpr double careful_part = 0.5;
/// An answer that has not come by then is not waited for.
constexpr Duration answer_overdue = 10s;
/// The rate of others is an estimate, and two rates do not interleave evenly.
constexpr double room_for_others = 1.25;
constexpr Seconds estimate_begins = 2s;
constexpr Seconds estimate_settles = 10s;
/// However much others seem to spend, this part is tried: only a figure of the server itself stops us.
constexpr double least_part = 0.1;

Duration duration(double seconds) { return std::chrono::duration_cast<Duration>(Seconds(seconds)); }

double usable(double rate, double otherwise, double least, double most) {
  return rate > 0 ? std::clamp(rate, least, most) : otherwise;  // false for what is not a number
}

}  // namespace

PaceLimits pace_limits(Rates own) noexcept {
  const Rates api;
  own.per_second = usable(own.per_second, api.per_second, 1e-4, 1e6);
  own.per_minute = usable(own.per_minute, api.per_minute, 1e-3, 1e7);
  return {.own = own,
          .api = {.per_second = std::max(own.per_second, api.per_second),
                  .per_minute = std::max(own.per_minute, api.per_minute)}};
}

// The line

Pace::Place Pace::reserve(TimePoint now, const PaceLimits& limits) {
  forget_after_silence(now);
  const Tempo t = tempo(now, limits);
  TimePoint time = has_holes_ ? in_a_hole(now, t) : TimePoint::max();
  if (time == TimePoint::max()) {
    time = std::max({now, held_until_, minute_rule(size_, t)});
    if (size_ > 0) time = std::max(time, at(size_ - 1) + t.gap);
    insert(size_, time);
  }
  return {time.time_since_epoch() - moved_};
}

TimePoint Pace::ready(Place place, TimePoint now, const PaceLimits& limits) {
  if (gone_ >= window_.last) hold(now, window_.end);
  const Tempo t = tempo(now, limits);
  TimePoint time = std::max(time_of(place), held_until_);
  if (const std::size_t index = find(time_of(place)); index < size_) time = std::max(time, minute_rule(index, t));
  if (gone_ > 0) time = std::max(time, nth_last_go(1) + duration(least_part_of_a_gap * Seconds(t.gap).count()));
  if (gone_ >= static_cast<std::int64_t>(t.burst)) time = std::max(time, nth_last_go(t.burst) + t.burst_time);
  if (time > now && time - time_of(place) > bearable_lag * t.gap) move_line(now, time + t.gap);
  return time;
}

void Pace::go(Place place, TimePoint now) {
  if (const std::size_t index = find(time_of(place)); index < size_) erase(index);
  insert(after(now), now);
  goes_[static_cast<std::size_t>(gone_) % goes_.size()] = now;
  ++gone_;
}

void Pace::give_back(Place place) {
  const std::size_t index = find(time_of(place));
  if (index == size_) return;
  erase(index);
  has_holes_ = has_holes_ || index < size_;
}

Pace::Tempo Pace::tempo(TimePoint now, const PaceLimits& limits) const noexcept {
  const auto shared = [&](double api, double others) {
    return std::max(part_of_the_limits * api - others, least_part * api);
  };
  double second = shared(limits.api.per_second, room_for_others * others_);
  if (!others_known_ && now - begun_ < careful_for) second *= careful_part;
  second = std::min(second, part_of_the_limits * limits.own.per_second);
  const double minute = std::min(shared(limits.api.per_minute, Seconds(window_length).count() * others_),
                                 part_of_the_limits * limits.own.per_minute);
  // A limit is counted in whole requests, and in no more than are remembered: then over a shorter time.
  const auto whole = [](double count, std::size_t most) {
    return static_cast<std::size_t>(std::clamp(std::floor(count), 1.0, static_cast<double>(most)));
  };
  const std::size_t burst = whole(second, goes_.size());
  const std::size_t in_a_minute = whole(minute, places_.size());
  return {.burst = burst,
          .burst_time = duration(static_cast<double>(burst) / second),
          .minute = in_a_minute,
          .minute_time = duration(60.0 * static_cast<double>(in_a_minute) / minute) + minute_slack,
          .gap = duration(1.0 / second)};
}

/// The earliest time of what stands at this index, by the limit of a minute.
TimePoint Pace::minute_rule(std::size_t index, const Tempo& tempo) const noexcept {
  return index < tempo.minute ? TimePoint::min() : at(index - tempo.minute) + tempo.minute_time;
}

/// A place between those who wait, where one was given back; TimePoint::max() where there is none.
TimePoint Pace::in_a_hole(TimePoint now, const Tempo& tempo) {
  for (std::size_t i = after(now); i < size_; ++i) {
    TimePoint time = std::max({now, held_until_, minute_rule(i, tempo)});
    if (i > 0) time = std::max(time, at(i - 1) + tempo.gap);
    if (time + tempo.gap > at(i)) continue;
    insert(i, time);
    return time;
  }
  has_holes_ = false;
  return TimePoint::max();
}

/// Nobody goes before.
void Pace::hold(TimePoint now, TimePoint until) {
  if (until <= now) return;
  held_until_ = std::max(held_until_, until);
  move_line(now, held_until_);
}

/// Those who wait do so until `to` at least, in the same order and with the same gaps.
void Pace::move_line(TimePoint now, TimePoint to) {
  const std::size_t first = after(now);
  if (first == size_ || at(first) >= to) return;
  const Duration by = to - at(first);
  for (std::size_t i = first; i < size_; ++i) at(i) += by;
  moved_ += by;
}

TimePoint Pace::nth_last_go(std::size_t n) const noexcept {
  return goes_[(static_cast<std::size_t>(gone_) - n) % goes_.size()];
}

/// The index of the first that is later.
std::size_t Pace::after(TimePoint time) const noexcept {
  std::size_t low = size_ > 0 && at(size_ - 1) <= time ? size_ : 0;
  for (std::size_t high = size_; low < high;) {
    const std::size_t middle = (low + high) / 2;
    if (at(middle) <= time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/// The index of this very time, or `size_`: whoever waits for longer than the ring remembers has no entry any more.
std::size_t Pace::find(TimePoint time) const noexcept {
  const std::size_t next = after(time);
  return next > 0 && at(next - 1) == time ? next - 1 : size_;
}

void Pace::insert(std::size_t index, TimePoint time) noexcept {
  if (size_ == places_.size()) {
    if (index == 0) return;  // older than all that is remembered
    begin_ = (begin_ + 1) % places_.size();
    --size_;
    --index;
  }
  ++size_;
  for (std::size_t i = size_ - 1; i > index; --i) at(i) = at(i - 1);
  at(index) = time;
}

void Pace::erase(std::size_t index) noexcept {
  for (std::size_t i = index; i + 1 < size_; ++i) at(i) = at(i + 1);
  --size_;
}

// What answers tell

void Pace::learn(std::int64_t remaining, std::chrono::milliseconds reset, TimePoint now, const PaceLimits& limits) {
  remaining = std::clamp<std::int64_t>(remaining, 0, 1'000'000'000);
  const TimePoint end =
      now + std::clamp<Duration>(std::clamp<std::chrono::milliseconds>(reset, 0ms, 1h), 0s, window_length);
  answered_ = std::min(answered_ + 1, gone_);
  if (remaining == 0) {
    return hold(now, end);
  }
  if (end + same_window < window_.end) return;  // of a window that is over: a newer answer came first
  if (end > window_.end + same_window) open_window(remaining, end, now, limits);
  window_.least_remaining = std::min(window_.least_remaining, remaining);
  window_.last = std::min(window_.last, counted(now) + remaining);
  estimate_others(now, limits);
}

void Pace::open_window(std::int64_t remaining, TimePoint end, TimePoint now, const PaceLimits& limits) {
  const std::int64_t ours = counted(now);
  const TimePoint begin = end - window_length;
  const auto sent_within = static_cast<std::int64_t>(after(now) - after(begin));
  const std::int64_t spent = static_cast<std::int64_t>(limits.api.per_minute) - remaining;
  window_ = {.end = end,
             .anchor = now,
             .before_anchor = now - begin,
             .remaining = remaining,
             .counted = ours,
             .others = std::max<std::int64_t>(spent - (sent_within - (gone_ - ours)), 0),
             .least_remaining = remaining,
             .last = ours + remaining,
             .others_before = others_,
             .known_before = others_known_};
}

/// What the allowance lost beyond what we spent, by the time that it took. A window's first seconds tell little: there
/// the rate that was known before stands in.
void Pace::estimate_others(TimePoint now, const PaceLimits& limits) {
  const std::int64_t lost = window_.remaining - window_.least_remaining;
  const std::int64_t others = std::max<std::int64_t>(window_.others + lost - (counted(now) - window_.counted), 0);
  const Seconds elapsed = window_.before_anchor + (now - window_.anchor);
  const Seconds settled = window_.known_before ? estimate_settles : Seconds(1);
  const double missing = std::max(0.0, (settled - elapsed).count());
  const double rate =
      (static_cast<double>(others) + window_.others_before * missing) / std::max(elapsed.count(), settled.count());
  others_ = std::min(rate, limits.api.per_second);
  others_known_ = others_known_ || elapsed > estimate_settles || now - window_.anchor > estimate_begins;
}

/// How many of ours the server has counted: all but those in flight.
std::int64_t Pace::counted(TimePoint now) {
  const auto recent = static_cast<std::int64_t>(after(now) - after(now - answer_overdue));
  answered_ = std::max(answered_, gone_ - recent);
  return answered_;
}

void Pace::forget_after_silence(TimePoint now) {
  if (gone_ > 0 && now - nth_last_go(1) < silence) return;
  if (begun_ != TimePoint() && now - begun_ < silence) return;
  begun_ = now;
  window_ = {};
  others_ = 0;
  others_known_ = false;
}

bool Pace::plausible(TimePoint now) const noexcept { return gone_ == 0 || nth_last_go(1) < now + 1min; }

}  // namespace connectid::inline v0::detail
