#include "base/pause.hpp"

#include <condition_variable>
#include <mutex>

namespace connectid::inline v0::detail {

void pause_until(std::chrono::steady_clock::time_point time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any nobody_notifies;
  std::unique_lock lock(mutex);
  nobody_notifies.wait_until(lock, stop, time, [] { return false; });
}

}  // namespace connectid::inline v0::detail
