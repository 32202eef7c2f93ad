#include "rate_limit.hpp"

#include <sched.h>

#include <algorithm>
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
/// Giving back and learning cannot be put off, as a wait can: the lock is tried so often.
constexpr int lock_attempts = 50;
constexpr double least_share = 0.01;

/// 1 to 2 ms: two that ask at the same time do not do so again.
TimePoint soon(TimePoint now) {
  return now + 1ms + std::chrono::nanoseconds(now.time_since_epoch().count() % 1'000'000);
}

/// The file's line, and what stands in for it.
class CommonLine {
 public:
  explicit CommonLine(std::string path) : file_(std::move(path)) {}

  [[nodiscard]] TimePoint ask(Places& places, TimePoint now) {
    latest_ = now;
    if (!places.alone) {
      const PaceFile::Opened opened = file_.open(now);
      if (opened == PaceFile::Opened::yes) {
        busy_since_.reset();
        const TimePoint at = pass(file_.pace(), places, now);
        if (file_.close()) return at;  // else nobody knows of it
      } else if (opened == PaceFile::Opened::busy && !stuck(now)) {
        return soon(now);
      }
      places.common = 0;
    }
    const TimePoint at = pass(alone_, places, now);
    places.alone = at > now;
    return at;
  }

  void give_back(Places& places) {
    if (places.common == 0) return;
    if (places.alone) return alone_.give_back(places.common);
    change([&](Pace& pace) { pace.give_back(places.common); });
  }

  void learn(std::int64_t remaining, std::chrono::milliseconds reset, TimePoint now) {
    const auto tell = [&](Pace& pace) { pace.learn(remaining, reset, now, limits); };
    latest_ = now;
    if (!change(tell)) tell(alone_);
  }

  [[nodiscard]] const std::string& problem() const noexcept { return file_.problem(); }

  const PaceLimits limits = detail::pace_limits({});

 private:
  [[nodiscard]] TimePoint pass(Pace& pace, Places& places, TimePoint now) const {
    const TimePoint at = pace.stand(places.common, now, limits);
    if (at <= now) pace.go(places.common, now);
    return at;
  }

  [[nodiscard]] bool stuck(TimePoint now) {
    const bool in_a_row = busy_since_ && now - busy_last_ <= stuck_after;  // else it may be another one
    if (!in_a_row) busy_since_ = now;
    busy_last_ = now;
    return now - *busy_since_ > stuck_after;
  }

  template <typename Change>
  bool change(const Change& what) {
    for (int i = 0; i < lock_attempts; ++i) {
      const PaceFile::Opened opened = file_.open(latest_);
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
  Pace alone_;  ///< for those who could not use the file
  std::optional<TimePoint> busy_since_;
  TimePoint busy_last_{};
  TimePoint latest_{};
};

}  // namespace

/// A limit: a line of its own, the common one of all processes, or both, one after the other. Neither: a pattern, from
/// which each client makes a limit of its own.
struct RateLimit::State {
  explicit State(PaceLimits rates, std::unique_ptr<Pace> own_line = {}, std::unique_ptr<CommonLine> common_line = {})
      : limits(rates), own(std::move(own_line)), common(std::move(common_line)) {}

  [[nodiscard]] TimePoint ask(Places& places, TimePoint now) const {
    const std::lock_guard lock(mutex);
    TimePoint at = own ? own->stand(places.own, now, limits) : now;
    if (at <= now && common) at = common->ask(places, now);
    if (at <= now && own) own->go(places.own, now);
    return at;
  }

  void give_back(Places& places) const {
    const std::lock_guard lock(mutex);
    if (own) own->give_back(places.own);
    if (common) common->give_back(places);
  }

  void learn(std::int64_t remaining, std::chrono::milliseconds reset, TimePoint now) const {
    const std::lock_guard lock(mutex);
    if (common) return common->learn(remaining, reset, now);
    own->learn(remaining, reset, now, limits);
  }

  const PaceLimits limits;
  const std::unique_ptr<Pace> own;
  const std::unique_ptr<CommonLine> common;
  mutable std::mutex mutex;
};

RateLimit RateLimit::per_client(Rates rates) {
  return RateLimit(std::make_shared<const State>(detail::pace_limits(rates)));
}

RateLimit RateLimit::shared(Rates rates) {
  return RateLimit(std::make_shared<const State>(detail::pace_limits(rates), std::make_unique<Pace>()));
}

RateLimit RateLimit::share(double part) {
  const Rates api;
  part = part > least_share ? std::min(part, 1.0) : least_share;  // also where it is no number
  return per_client({.per_second = part * api.per_second, .per_minute = part * api.per_minute});
}

RateLimit RateLimit::across_processes(std::string path, Rates own) {
  const PaceLimits limits = detail::pace_limits(own);
  auto common = std::make_unique<CommonLine>(std::move(path));
  const Rates& all = common->limits.own;
  const bool part = limits.own.per_second < all.per_second || limits.own.per_minute < all.per_minute;
  return RateLimit(std::make_shared<const State>(limits, part ? std::make_unique<Pace>() : nullptr, std::move(common)));
}

RateLimit RateLimit::off() { return RateLimit(nullptr); }

std::string RateLimit::problem() const {
  if (!state_ || !state_->common) return {};
  const std::lock_guard lock(state_->mutex);
  return state_->common->problem();
}

namespace detail {

Pacer::Pacer(const RateLimit& limit) : state_(limit.state_) {
  if (state_ && !state_->own && !state_->common) {
    state_ = std::make_shared<const RateLimit::State>(state_->limits, std::make_unique<Pace>());
  }
}

Pacer::~Pacer() = default;

void Pacer::learn(std::int64_t remaining, std::chrono::milliseconds reset, TimePoint now) {
  if (state_) state_->learn(remaining, reset, now);
}

Turn::Turn(Turn&& other) noexcept
    : pacer_(std::exchange(other.pacer_, nullptr)), places_(std::exchange(other.places_, {})) {}

Turn& Turn::operator=(Turn&& other) noexcept {
  const Turn old(std::move(*this));
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
