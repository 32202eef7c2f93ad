#include "rate_limit/schedule_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <system_error>
#include <type_traits>
#include <utility>

#include "base/uninterrupted.hpp"

namespace connectid::inline v0::detail {
namespace {

constexpr std::array<char, 16> format = {'c', 'o', 'n', 'n', 'e', 'c', 't', 'i',
                                         'd', ' ', 'p', 'a', 'c', 'e', ' ', '1'};

std::array<char, 48> this_boot() {
  std::array<char, 48> id{};
  const Fd fd(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  if (fd && ::read(fd.get(), id.data(), id.size() - 1) < 0) id = {};
  return id;
}

}  // namespace

ScheduleFile::ScheduleFile(std::string path) : path_(std::move(path)), boot_(this_boot()) { open_descriptor(); }

void ScheduleFile::open_descriptor() {
  // Not to be kept waiting by a pipe, should it be one.
  constexpr int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  fd_ = Fd(uninterrupted([&] { return ::open(path_.c_str(), flags, S_IRUSR | S_IWUSR); }));
  if (!fd_) {
    fail("cannot be opened", errno);
    return;
  }
  std::array<char, format.size()> begins{};
  struct stat status {};
  const bool regular = ::fstat(fd_.get(), &status) == 0 && S_ISREG(status.st_mode);
  const bool readable =
      regular && uninterrupted([&] { return ::pread(fd_.get(), begins.data(), begins.size(), 0); }) >= 0;
  // The last character is the version. Zeros are what a crash of the machine leaves, and what is not there yet.
  const bool ours = std::equal(begins.begin(), begins.end() - 1, format.begin(),
                               [](char read, char expected) { return read == expected || read == '\0'; });
  if (readable && ours) {
    error_.clear();
    return;
  }
  fail(regular ? "is not a file of this library's" : "is not a regular file", 0);
  fd_ = Fd();
}

ScheduleFile::Opening ScheduleFile::open(Schedule::TimePoint now) {
  struct stat status {};
  if (!fd_) return Opening::no;
  if (::fstat(fd_.get(), &status) != 0 || status.st_nlink == 0)
    open_descriptor();  // it was removed: others use a new one
  if (!fd_) return Opening::no;
  bool busy = false;
  if (!lock(busy)) return busy ? Opening::busy : Opening::no;
  if (read(now)) return Opening::yes;
  unlock();
  return Opening::no;
}

bool ScheduleFile::lock(bool& busy) {
  if (uninterrupted([&] { return ::flock(fd_.get(), LOCK_EX | LOCK_NB); }) == 0) return true;
  busy = errno == EWOULDBLOCK;
  return busy ? false : fail("cannot be locked", errno);
}

void ScheduleFile::unlock() const noexcept { ::flock(fd_.get(), LOCK_UN); }

bool ScheduleFile::read(Schedule::TimePoint now) {
  static_assert(std::is_trivially_copyable_v<Copy>);
  const ssize_t size = uninterrupted([&] { return ::pread(fd_.get(), copies_.data(), sizeof copies_, 0); });
  if (size < 0) return fail("cannot be read", errno);
  std::memset(reinterpret_cast<char*>(copies_.data()) + size, 0, sizeof copies_ - static_cast<std::size_t>(size));
  current_ = copies_[1].number > copies_[0].number ? 1 : 0;
  if (is_sound(copies_[current_], now)) return true;
  current_ = 1 - current_;
  if (!is_sound(copies_[current_], now)) copies_[current_] = {};
  return true;
}

bool ScheduleFile::close() {
  Copy& copy = copies_[current_];
  copy.format = format;
  copy.boot = boot_;
  ++copy.number;
  copy.checksum = checksum(copy);
  const auto offset = static_cast<off_t>((copy.number % 2) * sizeof copy);
  const ssize_t written = uninterrupted([&] { return ::pwrite(fd_.get(), &copy, sizeof copy, offset); });
  const int error = written < 0 ? errno : ENOSPC;
  unlock();
  if (written != static_cast<ssize_t>(sizeof copy)) return fail("cannot be written", error);
  error_.clear();
  return true;
}

bool ScheduleFile::is_sound(const Copy& copy, Schedule::TimePoint now) const noexcept {
  return copy.format == format && copy.boot == boot_ && copy.checksum == checksum(copy) && copy.schedule.plausible(now);
}

std::uint64_t ScheduleFile::checksum(const Copy& copy) noexcept {
  constexpr std::size_t lanes = 4;  // side by side, for each word's sum waits for the one before
  std::array<std::uint64_t, lanes> words{}, sums{copy.number, 1, 2, 3};
  static_assert(sizeof(Schedule) % sizeof words == 0);
  const char* const bytes = reinterpret_cast<const char*>(&copy.schedule);
  for (std::size_t at = 0; at < sizeof(Schedule); at += sizeof words) {
    std::memcpy(words.data(), bytes + at, sizeof words);
    for (std::size_t i = 0; i < lanes; ++i) {
      sums[i] = (sums[i] ^ words[i]) * 0x9E3779B97F4A7C15U;
      sums[i] ^= sums[i] >> 32U;
    }
  }
  return std::accumulate(sums.begin(), sums.end(), std::uint64_t{0});
}

/// Always false.
bool ScheduleFile::fail(const char* what, int error) {
  error_ = path_ + ": " + what;
  if (error != 0) error_ += ": " + std::system_category().message(error);
  return false;
}

}  // namespace connectid::inline v0::detail
