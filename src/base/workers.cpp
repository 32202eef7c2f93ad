#include "base/workers.hpp"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace connectid::inline v0::detail {
namespace {

/// A new thread begins with the signals of the one that makes it, and must not run the program's handlers.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

/// The memory that a worker needs to begin and to end is there before it is needed.
Workers::Workers(int most) : most_(static_cast<std::size_t>(std::max(most, 1))) {
  threads_.reserve(most_);
  free_slots_.reserve(most_);
}

int Workers::add(Job job) {
  const std::lock_guard lock(mutex_);
  if (ended_) return ECANCELED;
  jobs_.push_back(std::move(job));
  const std::size_t working = threads_.size() - free_slots_.size();
  if (working == most_) return 0;
  try {
    begin_worker();
  } catch (const std::system_error& error) {
    if (working > 0) return 0;
    jobs_.pop_back();
    return error.code().value();
  }
  return 0;
}

/// A thread that has ended keeps its stack until it is joined: the next one of its slot does that.
void Workers::begin_worker() {
  const AllSignalsBlocked here;
  const bool reused = !free_slots_.empty();
  const std::size_t slot = reused ? free_slots_.back() : threads_.size();
  std::jthread thread([this, slot] { work(slot); });
  if (reused) {
    free_slots_.pop_back();
    threads_[slot] = std::move(thread);
  } else {
    threads_.push_back(std::move(thread));
  }
}

void Workers::work(std::size_t slot) {
  std::unique_lock lock(mutex_);
  while (!jobs_.empty()) {
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job(leaving_.get_token());
    job = nullptr;  // what it holds on to may need the lock
    lock.lock();
  }
  free_slots_.push_back(slot);
}

void Workers::end() {
  std::vector<std::jthread> threads;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    threads.swap(threads_);
  }
  leaving_.request_stop();
}

}  // namespace connectid::inline v0::detail
