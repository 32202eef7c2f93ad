#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <connectid/export.hpp>
#include <connectid/journal/journal.hpp>
#include <connectid/result.hpp>
#include <connectid/timestamp.hpp>

namespace connectid::inline v0 {

/// A call that a journal says was about to be sent, and of whose end it says nothing. It may have started.
struct InFlightCall {
  std::string call_id = {};  ///< what was sent as `X-Request-Id`
  std::string method = {};   ///< `POST`
  std::string url = {};      ///< `https://…/v1/subscription`
  std::string body = {};     ///< what was to be sent
  int attempts = 0;          ///< how many were written down
  Timestamp since = {};      ///< when the first attempt was about to leave (wall time)
};

/// What stands in the file of a journal.
struct JournalContents {
  std::vector<InFlightCall> in_flight = {};  ///< in the order in which they were begun
  /// Lines that cannot be read. A crash can leave half a line, and that is harmless: a half `sending` was never sent, a
  /// half `ended` leaves its call in flight. More of them than crashes: the file was damaged, and calls may be missing.
  std::size_t damaged_lines = 0;
};

/// Writes calls down in a file, one line of JSON for each attempt and one for the end, each on the disk before it
/// returns. When the process died, `read` tells which calls were in flight. No secret is written; what the request
/// holds is, so the file is made for its owner alone (0600).
///
/// Thread-safe, and several processes may write to one file. A call is known by its id: give each its own, as the
/// client does by itself. A process that forks must not use it in the child.
class CONNECTID_API FileJournal final : public Journal {
 public:
  /// Opens the file, or makes it. Where that cannot be done (no such directory, a symbolic link, another file), that is
  /// a `configuration_error` which says why.
  [[nodiscard]] static Result<std::shared_ptr<FileJournal>> open(const std::filesystem::path& path);
  ~FileJournal() override;

  /// The calls in flight in that file: those of a run that died, and those of processes that still write to it. None
  /// where there is no such file. A file that cannot be read is a `configuration_error`, and so is one of a newer
  /// version of this library, which says more than this one understands.
  ///
  /// Reads line by line; only the calls in flight are kept in memory.
  [[nodiscard]] static Result<JournalContents> read(const std::filesystem::path& path);

  /// Why the last line is not on the disk, `ended` included: now, where the disk was full, until there is space again;
  /// for good, where the disk has failed to take what was written. Empty: all is well.
  [[nodiscard]] std::string error() const;

  /// An error where the line is not on the disk: `journal_refused`.
  [[nodiscard]] Result<void> sending(const JournalCall& call, int attempt) override;

  /// Needs only the id, so it can also settle a call that was found in flight, once somebody has verified it. Where the
  /// line cannot be written, the call stays in flight: that is what `read` will say.
  void ended(const JournalCall& call, Outcome outcome) override;

 private:
  struct Impl;
  explicit FileJournal(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace connectid::inline v0
