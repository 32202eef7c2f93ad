#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "rate_limit/schedule.hpp"

namespace connectid::inline v0::detail {

/// A `Schedule` that processes share through a file. Its lock is never waited for. Not thread-safe: a lock of flock(2)
/// belongs to the open file, and so to all threads.
class ScheduleFile {
 public:
  explicit ScheduleFile(std::string path);
  ScheduleFile(const ScheduleFile&) = delete;
  ScheduleFile& operator=(const ScheduleFile&) = delete;

  enum class Opening { yes, busy, no };
  /// Takes the lock and reads. After `yes`, and only then, `schedule` is there, and `close` is to be called. What
  /// cannot be of a clock that shows `now` is begun anew; TimePoint::max() where it is not known.
  [[nodiscard]] Opening open(Schedule::TimePoint now);
  [[nodiscard]] Schedule& schedule() noexcept { return copies_[current_].schedule; }
  /// Writes and gives the lock back. Whether all was written.
  [[nodiscard]] bool close();

  /// Somebody has the lock for so long that it is done without, until a `close` succeeds.
  void locked_for_too_long() { fail("has been locked by another process for too long", 0); }

  /// Why the file cannot be used; empty: it can.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  /// The file holds two, which are written alternately: whoever is killed while it writes leaves the other one whole.
  struct Copy {
    std::array<char, 16> format{};
    std::array<char, 48> boot{};  ///< the times are of a clock that begins anew with each boot
    std::uint64_t number = 0;     ///< the higher one is newer
    std::uint64_t checksum = 0;   ///< of `number` and `schedule`
    Schedule schedule;
  };

  void open_descriptor();
  [[nodiscard]] bool lock(bool& busy);
  void unlock() const noexcept;
  [[nodiscard]] bool read(Schedule::TimePoint now);
  [[nodiscard]] bool is_sound(const Copy& copy, Schedule::TimePoint now) const noexcept;
  [[nodiscard]] static std::uint64_t checksum(const Copy& copy) noexcept;
  bool fail(const char* what, int error);

  std::string path_;
  std::string error_;
  std::array<char, 48> boot_{};
  Fd fd_;
  std::size_t current_ = 0;
  std::array<Copy, 2> copies_{};
};

}  // namespace connectid::inline v0::detail
