#include <connectid/journal/file_journal.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/fd.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "base/uninterrupted.hpp"
#include "journal/record.hpp"

namespace connectid::inline v0 {
namespace {

using detail::Fd;
using detail::open_only;
using detail::Opened;
using detail::Record;
using detail::system_says;
using detail::uninterrupted;

std::string about(const std::filesystem::path& path, const std::string& error) {
  return "the journal \"" + detail::printable(path.native(), 200) + "\" cannot be used: " + error;
}

Error cannot_be_used(const std::filesystem::path& path, const std::string& why) {
  return {Outcome::not_sent, ConfigurationError{}, about(path, why)};
}

/// Returns errno, or 0.
int sync_directory_of(const std::filesystem::path& path) {
  const std::filesystem::path directory = path.parent_path();
  const Fd fd(::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd ? detail::sync_directory(fd.get()) : errno;
}

/// Nobody would ever read what is written to it.
bool was_deleted(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && status.st_nlink == 0;
}

bool ends_within_a_line(int fd) {
  struct stat status {};
  char last = '\n';
  return ::fstat(fd, &status) == 0 && status.st_size > 0 && ::pread(fd, &last, 1, status.st_size - 1) == 1 &&
         last != '\n';
}

/// Who names the wrong file must not have lines added to it.
bool may_be_a_journal(int fd) {
  std::array<char, 16> first{};
  const ssize_t count = uninterrupted([&] { return ::pread(fd, first.data(), first.size(), 0); });
  return count >= 0 && detail::begins_as_journal({first.data(), static_cast<std::size_t>(count)});
}

Timestamp now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

/// Gives each line to `take`, of a longer one its end; returns the error that ended it, or 0.
template <class Take>
int for_each_line(int fd, Take take) {
  std::string line;
  std::string bytes(std::size_t{1} << 16, '\0');
  for (;;) {
    const ssize_t count = uninterrupted([&] { return ::read(fd, bytes.data(), bytes.size()); });
    if (count < 0) return errno;
    if (count == 0) break;
    std::string_view rest(bytes.data(), static_cast<std::size_t>(count));
    for (std::size_t end = 0; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
      take(line.append(rest.substr(0, end)));
      line.clear();
    }
    line.append(rest);
    if (line.size() > detail::longest_record) line.erase(0, line.size() - detail::longest_record);
  }
  take(line);
  return 0;
}

/// What the lines so far add up to.
class Sum {
 public:
  void add(Record line) {
    damaged_ += line.kind == Record::Kind::damaged || line.after_half_a_line;
    newer_ = newer_ || line.kind == Record::Kind::newer_format;
    if (line.kind == Record::Kind::ended) end(line.call_id);
    if (line.kind == Record::Kind::sending) begin(std::move(line));
  }

  [[nodiscard]] bool newer() const noexcept { return newer_; }
  [[nodiscard]] JournalContents contents() && {
    return {.in_flight = {std::move_iterator(calls_.begin()), std::move_iterator(calls_.end())},
            .damaged_lines = damaged_};
  }

 private:
  void begin(Record line) {
    auto [known, is_new] = by_id_.try_emplace(line.call_id, calls_.end());
    if (is_new) {
      known->second = calls_.insert(calls_.end(), {std::move(line.call_id), std::move(line.method), std::move(line.url),
                                                   std::move(line.body), 0, line.at});
    }
    ++known->second->attempts;
  }

  void end(const std::string& call_id) {
    const auto known = by_id_.find(call_id);
    if (known == by_id_.end()) return;
    calls_.erase(known->second);
    by_id_.erase(known);
  }

  std::list<InFlightCall> calls_;
  std::unordered_map<std::string, std::list<InFlightCall>::iterator> by_id_;
  std::size_t damaged_ = 0;
  bool newer_ = false;
};

}  // namespace

struct FileJournal::Impl {
  Impl(std::filesystem::path path_of_it, Fd opened)
      : path(std::move(path_of_it)), fd(std::move(opened)), half_a_line(ends_within_a_line(fd.get())) {}

  Result<void> write_down(const std::string& line) {
    std::unique_lock lock(mutex);
    if (!for_good && append(line) && sync(lock, ++written)) return {};
    return Error(Outcome::not_sent, JournalRefused{}, about(path, reason));
  }

  /// In one write(2), so that lines of other processes stand before or behind, never within.
  bool append(const std::string& line) {
    if (line.size() > detail::longest_record) return refuse("the call is too long for it");
    if (was_deleted(fd.get())) return refuse("it was deleted while it was open");
    const std::string text = half_a_line ? '\n' + line : line;
    const ssize_t count = uninterrupted([&] { return ::write(fd.get(), text.data(), text.size()); });
    if (count < 0) return refuse(system_says(errno));
    half_a_line = static_cast<std::size_t>(count) < text.size() && (half_a_line || count > 0);
    if (static_cast<std::size_t>(count) < text.size()) return refuse("there was no space for a whole line");
    return true;
  }

  /// Until the disk has that many lines. One thread syncs for all whose lines are written by then, and only one does at
  /// a time: the system tells of a failure once, and a second sync beside it would be told that all is well.
  bool sync(std::unique_lock<std::mutex>& lock, std::uint64_t lines) {
    while (synced < lines && !for_good) {
      if (syncing) {
        sync_ended.wait(lock);
        continue;
      }
      syncing = true;
      const std::uint64_t covered = written;
      lock.unlock();
      const int error = uninterrupted([&] { return ::fdatasync(fd.get()); }) == 0 ? 0 : errno;
      lock.lock();
      syncing = false;
      // After an error nobody can say what became of these lines, nor does a sync that succeeds later prove anything.
      for_good = error != 0;
      if (error == 0) synced = covered;
      sync_ended.notify_all();
      if (error != 0) reason = system_says(error);  // last: it may throw, and the others must know all the same
    }
    if (synced >= lines && !for_good) reason.clear();
    return synced >= lines;
  }

  bool refuse(std::string why) {
    reason = std::move(why);
    return false;
  }

  const std::filesystem::path path;
  mutable std::mutex mutex;
  std::condition_variable sync_ended;
  Fd fd;
  std::string reason;
  bool for_good = false;  ///< what stands in `reason` will not pass
  bool half_a_line;       ///< the file ends in one: the next line goes on a line of its own
  bool syncing = false;
  std::uint64_t written = 0;
  std::uint64_t synced = 0;
};

FileJournal::FileJournal(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
FileJournal::~FileJournal() = default;

Result<std::shared_ptr<FileJournal>> FileJournal::open(const std::filesystem::path& path) {
  Opened opened = open_only(S_IFREG, AT_FDCWD, path, O_RDWR | O_APPEND | O_CREAT);
  if (opened.reason) return cannot_be_used(path, opened.reason.why);
  if (const int error = sync_directory_of(path)) return cannot_be_used(path, "its directory: " + system_says(error));
  if (!may_be_a_journal(opened.fd.get())) return cannot_be_used(path, "it holds something else");
  return std::shared_ptr<FileJournal>(new FileJournal(std::make_unique<Impl>(path, std::move(opened.fd))));
}

std::string FileJournal::error() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->reason.empty() ? std::string() : about(impl_->path, impl_->reason);
}

Result<void> FileJournal::sending(const JournalCall& call, int attempt) {
  return impl_->write_down(detail::sending_line(call, attempt, now()));
}

void FileJournal::ended(const JournalCall& call, Outcome outcome) {
  static_cast<void>(impl_->write_down(detail::ended_line(call, outcome, now())));
}

Result<JournalContents> FileJournal::read(const std::filesystem::path& path) {
  const Opened opened = open_only(S_IFREG, AT_FDCWD, path, O_RDONLY);
  if (opened.reason.error == ENOENT) return JournalContents{};
  if (opened.reason) return cannot_be_used(path, opened.reason.why);
  Sum sum;
  const int error = for_each_line(opened.fd.get(), [&](std::string_view line) { sum.add(detail::read_record(line)); });
  if (error != 0) return cannot_be_used(path, system_says(error));
  if (sum.newer()) return cannot_be_used(path, "a newer version of this library wrote to it");
  return std::move(sum).contents();
}

}  // namespace connectid::inline v0
