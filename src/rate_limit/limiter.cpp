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

using detail::Allowance;
using detail::HeldSlot;
using detail::Schedule;
using detail::ScheduleFile;
using detail::ScheduleLimits;
using namespace std::chrono_literals;
using TimePoint = Schedule::TimePoint;

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

/// Requests wait here until the times of their slots: in a file of all processes, where there is one that can be used,
/// or in this process alone.
class Queue {
 public:
  explicit Queue(const ScheduleLimits& rates) noexcept : limits_(rates) {}
  Queue(const ScheduleLimits& rates, std::string path)
      : file_(std::make_unique<ScheduleFile>(std::move(path))), limits_(rates) {}

  /// `now` or earlier: the slot is used.
  [[nodiscard]] TimePoint ask(HeldSlot& slot, TimePoint now) {
    if (file_ && !slot.alone) {
      const ScheduleFile::Opening opened = file_->open(now);
      if (opened == ScheduleFile::Opening::yes) {
        busy_tries_ = 0;
        const TimePoint at = pass(file_->schedule(), slot, now);
        if (file_->close()) return at;  // else nobody knows of it
      } else if (opened == ScheduleFile::Opening::busy) {
        if (!stuck(now)) return soon(now);
        file_->locked_for_too_long();
      }
      slot.ticket = 0;
    }
    const TimePoint at = pass(alone_, slot, now);
    slot.alone = at > now;
    return at;
  }

  void give_back(HeldSlot& slot) {
    if (slot.alone) return alone_.give_back(slot.ticket);
    // The time is not known, and any that was told before may be long past: who waits asks nothing meanwhile.
    change(TimePoint::max(), [&](Schedule& schedule) { schedule.give_back(slot.ticket); });
  }

  void learn(const Allowance& allowance, TimePoint now) {
    const auto learn = [&](Schedule& schedule) { schedule.learn(allowance, now, limits_); };
    if (!file_ || !change(now, learn)) learn(alone_);
  }

  [[nodiscard]] std::string error() const { return file_ ? file_->error() : std::string(); }

 private:
  [[nodiscard]] TimePoint pass(Schedule& schedule, HeldSlot& slot, TimePoint now) const {
    const TimePoint at = schedule.reserve(slot.ticket, now, limits_);
    if (at <= now) schedule.go(slot.ticket, now);
    return at;
  }

  [[nodiscard]] bool stuck(TimePoint now) {
    // Not only within one call: it may have less time than that.
    if (busy_tries_ == 0) busy_since_ = now;
    busy_tries_ = std::min(busy_tries_ + 1, stuck_tries);
    return busy_tries_ == stuck_tries && now - busy_since_ > stuck_after;
  }

  /// Whether it was changed in the file.
  template <typename Change>
  bool change(TimePoint now, const Change& what) {
    for (int i = 0; i < lock_attempts; ++i) {
      const ScheduleFile::Opening opened = file_->open(now);
      if (opened == ScheduleFile::Opening::no) return false;
      if (opened == ScheduleFile::Opening::yes) {
        what(file_->schedule());
        return file_->close();
      }
      sched_yield();
    }
    return false;
  }

  Schedule alone_;
  std::unique_ptr<ScheduleFile> file_;  ///< null: it is this process's alone
  TimePoint busy_since_{};
  ScheduleLimits limits_;
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

/// A limit: the queues that a request goes through, one after the other. None: a pattern, from which each client makes
/// a limit of its own.
struct RateLimit::State {
  explicit State(const ScheduleLimits& rates) : limits(rates) {}

  [[nodiscard]] static std::shared_ptr<State> in_memory(const ScheduleLimits& limits) {
    auto state = std::make_shared<State>(limits);
    state->queues.emplace_back(limits);
    return state;
  }

  [[nodiscard]] TimePoint ask(HeldSlot& slot, TimePoint now) const {
    const std::lock_guard lock(mutex);
    for (; slot.queue < queues.size(); slot = {.queue = slot.queue + 1}) {
      if (const TimePoint at = queues[slot.queue].ask(slot, now); at > now) return at;
    }
    slot = {};
    return now;
  }

  void give_back(HeldSlot& slot) const {
    const std::lock_guard lock(mutex);
    if (slot.ticket != 0) queues[slot.queue].give_back(slot);
  }

  void learn(const Allowance& allowance, TimePoint now) const {
    const std::lock_guard lock(mutex);
    queues.back().learn(allowance, now);
  }

  const ScheduleLimits limits;
  mutable std::vector<Queue> queues;  ///< the last one is of the whole allowance
  mutable std::mutex mutex;
};

RateLimit RateLimit::per_client(Rates rates) {
  return RateLimit(std::make_shared<const State>(detail::schedule_limits(rates)));
}

RateLimit RateLimit::shared(Rates rates) { return RateLimit(State::in_memory(detail::schedule_limits(rates))); }

RateLimit RateLimit::share(double part) {
  const Rates api;
  part = part > least_share ? std::min(part, 1.0) : least_share;  // also where it is no number
  return per_client({.per_second = part * api.per_second, .per_minute = part * api.per_minute});
}

RateLimit RateLimit::across_processes(const std::filesystem::path& path, Rates part) {
  const ScheduleLimits limits = detail::schedule_limits(part);
  const ScheduleLimits whole = detail::schedule_limits({});
  auto state = std::make_shared<State>(limits);
  if (limits.own.per_second < whole.own.per_second || limits.own.per_minute < whole.own.per_minute) {
    state->queues.emplace_back(limits, path_of_part(path, limits.own));
  }
  state->queues.emplace_back(whole, path);
  return RateLimit(std::move(state));
}

RateLimit RateLimit::off() { return RateLimit(nullptr); }

std::string RateLimit::error() const {
  if (!state_) return {};
  const std::lock_guard lock(state_->mutex);
  for (const auto& queue : state_->queues) {
    if (std::string error = queue.error(); !error.empty()) return error;
  }
  return {};
}

namespace detail {

Limiter::Limiter(const RateLimit& limit) : state_(limit.state_) {
  if (state_ && state_->queues.empty()) state_ = RateLimit::State::in_memory(state_->limits);
}

Limiter::~Limiter() = default;

void Limiter::learn(const Allowance& allowance, TimePoint now) {
  if (state_) state_->learn(allowance, now);
}

Reservation::Reservation(Reservation&& other) noexcept
    : limiter_(std::exchange(other.limiter_, nullptr)), slot_(std::exchange(other.slot_, {})) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  const Reservation old(std::move(*this));
  limiter_ = std::exchange(other.limiter_, nullptr);
  slot_ = std::exchange(other.slot_, {});
  return *this;
}

Reservation::~Reservation() {
  if (slot_.ticket == 0) return;
  try {
    limiter_->state_->give_back(slot_);
  } catch (...) {  // no memory for the file's error: the slot is dropped when it is overdue, and the outcome stands
  }
}

Limiter::TimePoint Reservation::ask(Limiter::TimePoint now) {
  return limiter_ && limiter_->state_ ? limiter_->state_->ask(slot_, now) : now;
}

}  // namespace detail
}  // namespace connectid::inline v0
