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

PaceFile::PaceFile(std::string path) : path_(std::move(path)), boot_(this_boot()) { open_descriptor(); }

void PaceFile::open_descriptor() {
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
    problem_.clear();
    return;
  }
  fail(regular ? "is not a file of this library's" : "is not a regular file", 0);
  fd_ = Fd();
}

PaceFile::Opened PaceFile::open(Pace::TimePoint now) {
  struct stat status {};
  if (!fd_) return Opened::no;
  if (::fstat(fd_.get(), &status) != 0 || status.st_nlink == 0)
    open_descriptor();  // it was removed: others use a new one
  if (!fd_) return Opened::no;
  bool busy = false;
  if (!lock(busy)) return busy ? Opened::busy : Opened::no;
  if (read(now)) return Opened::yes;
  unlock();
  return Opened::no;
}

bool PaceFile::lock(bool& busy) {
  if (uninterrupted([&] { return ::flock(fd_.get(), LOCK_EX | LOCK_NB); }) == 0) return true;
  busy = errno == EWOULDBLOCK;
  return busy ? false : fail("cannot be locked", errno);
}

void PaceFile::unlock() const noexcept { ::flock(fd_.get(), LOCK_UN); }

bool PaceFile::read(Pace::TimePoint now) {
  static_assert(std::is_trivially_copyable_v<Slot>);
  const ssize_t size = uninterrupted([&] { return ::pread(fd_.get(), slots_.data(), sizeof slots_, 0); });
  if (size < 0) return fail("cannot be read", errno);
  std::memset(reinterpret_cast<char*>(slots_.data()) + size, 0, sizeof slots_ - static_cast<std::size_t>(size));
  current_ = slots_[1].number > slots_[0].number ? 1 : 0;
  if (is_sound(slots_[current_], now)) return true;
  current_ = 1 - current_;
  if (!is_sound(slots_[current_], now)) slots_[current_] = {};
  return true;
}

bool PaceFile::close() {
  Slot& slot = slots_[current_];
  slot.format = format;
  slot.boot = boot_;
  ++slot.number;
  slot.checksum = checksum(slot);
  const auto offset = static_cast<off_t>((slot.number % 2) * sizeof slot);
  const ssize_t written = uninterrupted([&] { return ::pwrite(fd_.get(), &slot, sizeof slot, offset); });
  const int error = written < 0 ? errno : ENOSPC;
  unlock();
  if (written != static_cast<ssize_t>(sizeof slot)) return fail("cannot be written", error);
  problem_.clear();
  return true;
}

bool PaceFile::is_sound(const Slot& slot, Pace::TimePoint now) const noexcept {
  return slot.format == format && slot.boot == boot_ && slot.checksum == checksum(slot) && slot.pace.plausible(now);
}

std::uint64_t PaceFile::checksum(const Slot& slot) noexcept {
  constexpr std::size_t lanes = 4;  // side by side, for each word's sum waits for the one before
  std::array<std::uint64_t, lanes> words{}, sums{slot.number, 1, 2, 3};
  static_assert(sizeof(Pace) % sizeof words == 0);
  const char* const bytes = reinterpret_cast<const char*>(&slot.pace);
  for (std::size_t at = 0; at < sizeof(Pace); at += sizeof words) {
    std::memcpy(words.data(), bytes + at, sizeof words);
    for (std::size_t i = 0; i < lanes; ++i) {
      sums[i] = (sums[i] ^ words[i]) * 0x9E3779B97F4A7C15U;
      sums[i] ^= sums[i] >> 32U;
    }
  }
  return std::accumulate(sums.begin(), sums.end(), std::uint64_t{0});
}

/// Always false.
bool PaceFile::fail(const char* what, int error) {
  problem_ = path_ + ": " + what;
  if (error != 0) problem_ += ": " + std::system_category().message(error);
  return false;
}

}  // namespace connectid::inline v0::detail
