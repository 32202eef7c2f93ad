#include "rate_limit/limiter.hpp"

#include <sched.h>

#include <algorithm>
#include <locale>
#include <mutex>
#include <sstream>
#include <utility>
#include <vector>

#include "rate_limit/schedule_file.hpp"

namespace connectid::inline v0 {

using detail::Pace;
using detail::PaceFile;
using detail::PaceLimits;
using detail::Place;
using namespace std::chrono_literals;
using TimePoint = Pace::TimePoint;

namespace {

/// Whoever holds the file's lock for longer was stopped in the middle; who is met less often, is another one each time.
constexpr auto stuck_after = 1s;
constexpr int stuck_tries = 100;
/// Giving back and learning cannot be put off, as a wait can: the lock is tried so often.
constexpr int lock_attempts = 50;
constexpr double least_share = 0.01;

/// 1 to 2 ms: two that ask at the same time do not do so again.
TimePoint soon(TimePoint now) {
  return now + 1ms + std::chrono::nanoseconds(now.time_since_epoch().count() % 1'000'000);
}

/// Where requests stand until it is their turn.
class Line {
 public:
  explicit Line(const PaceLimits& rates) noexcept : limits(rates) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  virtual ~Line() = default;

  /// `now` or earlier: the place is used.
  [[nodiscard]] virtual TimePoint ask(Place& place, TimePoint now) = 0;
  virtual void give_back(Place& place) = 0;
  virtual void learn(std::int64_t remaining, std::chrono::milliseconds reset, TimePoint now) = 0;
  [[nodiscard]] virtual std::string problem() const { return {}; }

 protected:
  [[nodiscard]] TimePoint pass(Pace& pace, Place& place, TimePoint now) const {
    const TimePoint at = pace.stand(place.ticket, now, limits);
    if (at <= now) pace.go(place.ticket, now);
    return at;
  }

  const PaceLimits limits;
};

class MemoryLine final : public Line {
 public:
  using Line::Line;

  [[nodiscard]] TimePoint ask(Place& place, TimePoint now) override { return pass(pace_, place, now); }
  void give_back(Place& place) override { pace_.give_back(place.ticket); }
  void learn(std::int64_t remaining, std::chrono::milliseconds reset, TimePoint now) override {
    pace_.learn(remaining, reset, now, limits);
  }

 private:
  Pace pace_;
};

/// A line of all processes, and what stands in for it where its file cannot be used.
class FileLine final : public Line {
 public:
  FileLine(std::string path, const PaceLimits& rates) : Line(rates), file_(std::move(path)) {}

  [[nodiscard]] TimePoint ask(Place& place, TimePoint now) override {
    if (!place.alone) {
      const PaceFile::Opened opened = file_.open(now);
      if (opened == PaceFile::Opened::yes) {
        busy_tries_ = 0;
        const TimePoint at = pass(file_.pace(), place, now);
        if (file_.close()) return at;  // else nobody knows of it
      } else if (opened == PaceFile::Opened::busy) {
        if (!stuck(now)) return soon(now);
        file_.locked_for_too_long();
      }
      place.ticket = 0;
    }
    const TimePoint at = alone_.ask(place, now);
    place.alone = at > now;
    return at;
  }

  void give_back(Place& place) override {
    if (place.alone) return alone_.give_back(place);
    // The time is not known, and any that was told before may be long past: who waits asks nothing meanwhile.
    change(TimePoint::max(), [&](Pace& pace) { pace.give_back(place.ticket); });
  }

  void learn(std::int64_t remaining, std::chrono::milliseconds reset, TimePoint now) override {
    const bool told = change(now, [&](Pace& pace) { pace.learn(remaining, reset, now, limits); });
    if (!told) alone_.learn(remaining, reset, now);
  }

  [[nodiscard]] std::string problem() const override { return file_.problem(); }

 private:
  [[nodiscard]] bool stuck(TimePoint now) {
    // Not only within one call: it may have less time than that.
    if (busy_tries_ == 0) busy_since_ = now;
    busy_tries_ = std::min(busy_tries_ + 1, stuck_tries);
    return busy_tries_ == stuck_tries && now - busy_since_ > stuck_after;
  }

  template <typename Change>
  bool change(TimePoint now, const Change& what) {
    for (int i = 0; i < lock_attempts; ++i) {
      const PaceFile::Opened opened = file_.open(now);
      if (opened == PaceFile::Opened::no) return false;
      if (opened == PaceFile::Opened::yes) {
        what(file_.pace());
        return file_.close();
      }
      sched_yield();
    }
    return false;
  }

  PaceFile file_;
  MemoryLine alone_{limits};
  TimePoint busy_since_{};
  int busy_tries_ = 0;  ///< since the lock was had last
};

/// `PATH.part-10-2000`: ten a second, two thousand a minute.
std::string path_of_part(const std::string& path, const Rates& part) {
  std::ostringstream name;
  name.imbue(std::locale::classic());
  name << path << ".part-" << part.per_second << '-' << part.per_minute;
  return name.str();
}

}  // namespace

/// A limit: the lines that a request stands in, one after the other. None: a pattern, from which each client makes a
/// limit of its own.
struct RateLimit::State {
  explicit State(const PaceLimits& rates) : limits(rates) {}

  [[nodiscard]] static std::shared_ptr<State> in_memory(const PaceLimits& limits) {
    auto state = std::make_shared<State>(limits);
    state->lines.push_back(std::make_unique<MemoryLine>(limits));
    return state;
  }

  [[nodiscard]] TimePoint ask(Place& place, TimePoint now) const {
    const std::lock_guard lock(mutex);
    for (; place.line < lines.size(); place = {.line = place.line + 1}) {
      if (const TimePoint at = lines[place.line]->ask(place, now); at > now) return at;
    }
    place = {};
    return now;
  }

  void give_back(Place& place) const {
    const std::lock_guard lock(mutex);
    if (place.ticket != 0) lines[place.line]->give_back(place);
  }

  void learn(std::int64_t remaining, std::chrono::milliseconds reset, TimePoint now) const {
    const std::lock_guard lock(mutex);
    lines.back()->learn(remaining, reset, now);
  }

  const PaceLimits limits;
  std::vector<std::unique_ptr<Line>> lines;  ///< the last one is of the whole allowance
  mutable std::mutex mutex;
};

RateLimit RateLimit::per_client(Rates rates) {
  return RateLimit(std::make_shared<const State>(detail::pace_limits(rates)));
}

RateLimit RateLimit::shared(Rates rates) { return RateLimit(State::in_memory(detail::pace_limits(rates))); }

RateLimit RateLimit::share(double part) {
  const Rates api;
  part = part > least_share ? std::min(part, 1.0) : least_share;  // also where it is no number
  return per_client({.per_second = part * api.per_second, .per_minute = part * api.per_minute});
}

RateLimit RateLimit::across_processes(std::string path, Rates part) {
  const PaceLimits limits = detail::pace_limits(part);
  const PaceLimits whole = detail::pace_limits({});
  auto state = std::make_shared<State>(limits);
  if (limits.own.per_second < whole.own.per_second || limits.own.per_minute < whole.own.per_minute) {
    state->lines.push_back(std::make_unique<FileLine>(path_of_part(path, limits.own), limits));
  }
  state->lines.push_back(std::make_unique<FileLine>(std::move(path), whole));
  return RateLimit(std::move(state));
}

RateLimit RateLimit::off() { return RateLimit(nullptr); }

std::string RateLimit::problem() const {
  if (!state_) return {};
  const std::lock_guard lock(state_->mutex);
  for (const auto& line : state_->lines) {
    if (std::string problem = line->problem(); !problem.empty()) return problem;
  }
  return {};
}

namespace detail {

Pacer::Pacer(const RateLimit& limit) : state_(limit.state_) {
  if (state_ && state_->lines.empty()) state_ = RateLimit::State::in_memory(state_->limits);
}

Pacer::~Pacer() = default;

void Pacer::learn(std::int64_t remaining, std::chrono::milliseconds reset, TimePoint now) {
  if (state_) state_->learn(remaining, reset, now);
}

Turn::Turn(Turn&& other) noexcept
    : pacer_(std::exchange(other.pacer_, nullptr)), place_(std::exchange(other.place_, {})) {}

Turn& Turn::operator=(Turn&& other) noexcept {
  const Turn old(std::move(*this));
  pacer_ = std::exchange(other.pacer_, nullptr);
  place_ = std::exchange(other.place_, {});
  return *this;
}

Turn::~Turn() {
  if (place_.ticket == 0) return;
  try {
    pacer_->state_->give_back(place_);
  } catch (...) {  // no memory for the file's problem: the place is dropped when it is overdue, and the word stands
  }
}

Pacer::TimePoint Turn::ask(Pacer::TimePoint now) {
  return pacer_ && pacer_->state_ ? pacer_->state_->ask(place_, now) : now;
}

}  // namespace detail
}  // namespace connectid::inline v0
