// What another thread will have done soon is waited for, not slept for.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace connectid {

/// Whether the condition comes true within half a minute: a busy machine may take long over anything.
inline bool eventually(const std::function<bool()>& condition) {
  using namespace std::chrono_literals;
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(1ms);
  return condition();
}

}  // namespace connectid
