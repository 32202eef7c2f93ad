#pragma once

#include <sys/stat.h>

#include <string>

#include "base/fd.hpp"

namespace connectid::inline v0::detail {

/// The words for a value of errno.
[[nodiscard]] std::string system_says(int error);

/// Why something in the file system cannot be used.
struct Reason {
  std::string why = {};  ///< empty: it can be
  int error = 0;         ///< errno, where it has one

  /// Of a value of errno; 0: it can be used.
  [[nodiscard]] static Reason of(int error) { return error == 0 ? Reason() : Reason{system_says(error), error}; }
  explicit operator bool() const noexcept { return !why.empty(); }
  [[nodiscard]] Reason behind(const std::string& words) const { return {words + why, error}; }
};

/// A file that was opened, or why it was not.
struct Opened {
  Fd fd = Fd();
  struct stat status = {};  ///< of what was opened
  Reason reason = {};       ///< none: it was opened. ENOTSUP: it is something else
};

/// Opens a regular file (`S_IFREG`) or a directory (`S_IFDIR`), and nothing else: a link is not followed, a pipe with a
/// name is not waited for. `path` is looked up from `directory`, or AT_FDCWD. What is made is its owner's alone.
[[nodiscard]] Opened open_only(mode_t type, int directory, const std::string& path, int flags);

/// Makes the names in a directory outlive a power cut; returns errno, or 0. Some network file systems cannot do that
/// for a directory (EINVAL): they need not.
[[nodiscard]] int sync_directory(int fd);

}  // namespace connectid::inline v0::detail
