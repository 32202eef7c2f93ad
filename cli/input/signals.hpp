#pragma once

#include <stop_token>
#include <thread>

namespace connectid::cli {

/// Makes the first SIGINT, SIGTERM or SIGHUP a requested stop; the second one kills, as it would without this. Made
/// before the program has other threads, which then do not get these signals. One that was ignored at the start stays
/// ignored.
class StopOnSignal {
 public:
  StopOnSignal();
  [[nodiscard]] std::stop_token token() const noexcept { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  std::jthread thread_;
};

}  // namespace connectid::cli
