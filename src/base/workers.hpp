#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace connectid::inline v0::detail {

/// Runs jobs, at most so many at a time, in threads that begin when there is a job and end when there is none. Signals
/// are blocked in them. Thread-safe.
class Workers {
 public:
  /// It must not throw. Once `leaving` is requested, nobody should wait for it any more than is needed.
  using Job = std::function<void(const std::stop_token& leaving)>;

  explicit Workers(int most);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers() { end(); }

  /// Runs it exactly once, as soon as a worker is free, and returns 0. Never, where it returns ECANCELED: it has ended;
  /// or another errno: no thread can be had.
  [[nodiscard]] int add(Job job);
  /// Requests `leaving`, and returns when all jobs have run. A job that calls it, or that ends what has the workers,
  /// would wait for itself: that ends the process.
  void end();

 private:
  void work(std::size_t slot);
  void begin_worker();

  const std::size_t most_;
  std::mutex mutex_;
  bool ended_ = false;
  std::stop_source leaving_;
  std::deque<Job> jobs_;
  std::vector<std::jthread> threads_;
  std::vector<std::size_t> free_slots_;  ///< of `threads_`: their threads have ended
};

}  // namespace connectid::inline v0::detail
