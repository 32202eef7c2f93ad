#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "http/connection.hpp"

namespace connectid::inline v0::detail {

/// Goes on while the machine sleeps, as the steady clock does not: a connection of yesterday is not young.
struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

/// Idle connections. The newest is taken first, so that those which a lower load leaves over grow old. Thread-safe; no
/// connection is closed under its lock.
class ConnectionPool {
 public:
  /// Keeps no more than so many.
  explicit ConnectionPool(std::size_t most) : most_(most) {}

  struct Idle {
    std::unique_ptr<Connection> connection = {};  ///< null: there is none
    BootClock::time_point since = {};
    BootClock::time_point until = {};  ///< from then on it is too old
    explicit operator bool() const noexcept { return connection != nullptr; }
  };

  /// The newest that leads to this origin and is not too old. Closes those that are.
  [[nodiscard]] Idle take(std::string_view origin, BootClock::time_point now);
  /// `idle.connection` must be able to take another request.
  void give(Idle idle);

 private:
  std::size_t most_;
  std::mutex mutex_;
  std::vector<Idle> idle_;  // the newest last
};

}  // namespace connectid::inline v0::detail
