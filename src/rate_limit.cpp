#include "rate_limit.hpp"

#include <sched.h>

#include <mutex>
#include <utility>

#include "pace_file.hpp"

namespace connectid::inline v0 {

using detail::Pace;
using detail::PaceFile;
using detail::PaceLimits;
using detail::Places;
using namespace std::chrono_literals;
using TimePoint = Pace::TimePoint;

namespace {

/// Whoever holds the file's lock for longer was stopped in the middle.
constexpr auto stuck_after = 1s;
/// Giving back and learning cannot be put off as a wait can: they are tried so often.
constexpr int lock_attempts = 50;

/// 1 to 2 ms: two that ask at the same time do not do so again.
TimePoint soon(TimePoint now) {
  return now + 1ms + std::chrono::nanoseconds(now.time_since_epoch().count() % 1'000'000);
}

}  // namespace

/// A limit. It has a line of its own, or, across processes, the file's and before it one of its own where it may take
/// only a part.
struct RateLimit::State {
  enum class Kind { per_client, shared, across_processes };

  State(Kind which, Rates rates) : kind(which), limits(detail::pace_limits(rates)) {}
  State(std::string path, Rates part) : State(Kind::across_processes, part) { common.emplace(std::move(path)); }

  [[nodiscard]] TimePoint ask(Places& places, TimePoint now) const {
    const std::lock_guard lock(mutex);
    latest = now;
    if (!common) {
      const TimePoint at = own.stand(places.own, now, limits);
      if (at <= now) own.go(places.own, now);
      return at;
    }
    if (is_part()) {
      if (const TimePoint at = own.stand(places.own, now, limits); at > now) return at;
    }
    const TimePoint at = ask_common(places, now);
    if (at <= now && is_part()) own.go(places.own, now);
    return at;
  }

  void give_back(Places& places) const {
    const std::lock_guard lock(mutex);
    own.give_back(places.own);
    if (places.common == 0) return;
    if (places.alone) return common->alone.give_back(places.common);
    patiently([&](Pace& pace) { pace.give_back(places.common); });
  }

  void learn(std::int64_t remaining, std::chrono::milliseconds reset, TimePoint now) const {
    const std::lock_guard lock(mutex);
    if (!common) return own.learn(remaining, reset, now, limits);
    const auto tell = [&](Pace& pace) { pace.learn(remaining, reset, now, api); };
    if (!patiently(tell)) tell(common->alone);
  }

  [[nodiscard]] std::string problem() const {
    const std::lock_guard lock(mutex);
    return common ? common->file.problem() : std::string();
  }

  const Kind kind;
  const PaceLimits limits;

 private:
  struct Common {
    explicit Common(std::string path) : file(std::move(path)) {}
    PaceFile file;
    Pace alone;  ///< while the file cannot be used
    std::optional<TimePoint> busy_since;
  };

  [[nodiscard]] bool is_part() const noexcept {
    return limits.own.per_second < api.own.per_second || limits.own.per_minute < api.own.per_minute;
  }

  [[nodiscard]] TimePoint ask_common(Places& places, TimePoint now) const {
    if (!places.alone) {
      const PaceFile::Opened opened = common->file.open(now);
      if (opened == PaceFile::Opened::yes) {
        if (const auto at = ask_file(places, now)) return *at;
      }
      if (opened == PaceFile::Opened::busy && !stuck(now)) return soon(now);
      places.common = 0;
      places.alone = true;
    }
    const TimePoint at = common->alone.stand(places.common, now, api);
    if (at <= now) {
      common->alone.go(places.common, now);
      places.alone = false;
    }
    return at;
  }

  /// Empty: nothing could be written, so that nobody else knows of it.
  [[nodiscard]] std::optional<TimePoint> ask_file(Places& places, TimePoint now) const {
    common->busy_since.reset();
    Pace& pace = common->file.pace();
    const TimePoint at = pace.stand(places.common, now, api);
    if (at <= now) pace.go(places.common, now);
    return common->file.close() ? std::optional(at) : std::nullopt;
  }

  [[nodiscard]] bool stuck(TimePoint now) const {
    if (!common->busy_since) common->busy_since = now;
    return now - *common->busy_since > stuck_after;
  }

  template <typename Change>
  bool patiently(const Change& change) const {
    for (int i = 0; i < lock_attempts; ++i) {
      const PaceFile::Opened opened = common->file.open(latest);
      if (opened == PaceFile::Opened::yes) {
        change(common->file.pace());
        return common->file.close();
      }
      if (opened == PaceFile::Opened::no) return false;
      sched_yield();
    }
    return false;
  }

  const PaceLimits api = detail::pace_limits({});
  mutable std::mutex mutex;
  mutable Pace own;
  mutable TimePoint latest{};
  mutable std::optional<Common> common;
};

RateLimit RateLimit::per_client(Rates rates) {
  return RateLimit(std::make_shared<const State>(State::Kind::per_client, rates));
}

RateLimit RateLimit::shared(Rates rates) {
  return RateLimit(std::make_shared<const State>(State::Kind::shared, rates));
}

RateLimit RateLimit::share(double part) {
  const Rates api;
  part = part > 0.01 ? std::min(part, 1.0) : 0.01;  // also where it is no number
  return per_client({.per_second = part * api.per_second, .per_minute = part * api.per_minute});
}

RateLimit RateLimit::across_processes(std::string path, Rates own) {
  return RateLimit(std::make_shared<const State>(std::move(path), own));
}

RateLimit RateLimit::off() { return RateLimit(nullptr); }

std::string RateLimit::problem() const { return state_ ? state_->problem() : std::string(); }

namespace detail {

Pacer::Pacer(const RateLimit& limit) : state_(limit.state_) {
  if (state_ && state_->kind == RateLimit::State::Kind::per_client) {
    state_ = std::make_shared<const RateLimit::State>(state_->kind, state_->limits.own);
  }
}

Pacer::~Pacer() = default;

void Pacer::learn(std::int64_t remaining, std::chrono::milliseconds reset, TimePoint now) {
  if (state_) state_->learn(remaining, reset, now);
}

Turn::Turn(Turn&& other) noexcept
    : pacer_(std::exchange(other.pacer_, nullptr)), places_(std::exchange(other.places_, {})) {}

Turn& Turn::operator=(Turn&& other) noexcept {
  Turn old(std::move(*this));
  pacer_ = std::exchange(other.pacer_, nullptr);
  places_ = std::exchange(other.places_, {});
  return *this;
}

Turn::~Turn() {
  if (places_.own != 0 || places_.common != 0) pacer_->state_->give_back(places_);
}

Pacer::TimePoint Turn::ask(Pacer::TimePoint now) {
  return pacer_ && pacer_->state_ ? pacer_->state_->ask(places_, now) : now;
}

}  // namespace detail
}  // namespace connectid::inline v0
