#include "http/connection_pool.hpp"

#include <algorithm>
#include <ctime>
#include <iterator>
#include <utility>

namespace connectid::inline v0::detail {

BootClock::time_point BootClock::now() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return time_point(std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec});
}

ConnectionPool::Idle ConnectionPool::take(std::string_view origin, BootClock::time_point now) {
  std::vector<Idle> too_old;  // closed once the lock is gone
  const std::lock_guard lock(mutex_);
  const auto is_young = [&](const Idle& one) { return now < one.until; };
  if (!std::ranges::all_of(idle_, is_young)) {
    const auto old = std::stable_partition(idle_.begin(), idle_.end(), is_young);
    std::move(old, idle_.end(), std::back_inserter(too_old));
    idle_.erase(old, idle_.end());
  }
  const auto newest =
      std::find_if(idle_.rbegin(), idle_.rend(), [&](const Idle& one) { return one.connection->origin() == origin; });
  if (newest == idle_.rend()) return {};
  Idle taken = std::move(*newest);
  idle_.erase(std::next(newest).base());
  return taken;
}

void ConnectionPool::give(Idle idle) {
  Idle oldest;  // closed once the lock is gone
  const std::lock_guard lock(mutex_);
  if (most_ == 0) return;
  if (idle_.size() >= most_) {
    oldest = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }
  idle_.push_back(std::move(idle));
}

}  // namespace connectid::inline v0::detail
