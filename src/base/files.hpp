#pragma once

#include <sys/stat.h>

#include <string>

#include "base/fd.hpp"

namespace connectid::inline v0::detail {

/// The words for a value of errno.
[[nodiscard]] std::string system_says(int error);

/// A file that was opened, or why it was not.
struct Opened {
  Fd fd = Fd();
  struct stat status = {};  ///< of what was opened
  int error = 0;            ///< errno; ENOTSUP: it is something else; 0: it was opened
  std::string reason = {};  ///< empty: it was opened
};

/// Opens a regular file (`S_IFREG`) or a directory (`S_IFDIR`), and nothing else: a link is not followed, a pipe with a
/// name is not waited for. `path` is looked up from `directory`, or AT_FDCWD. What is made is its owner's alone.
[[nodiscard]] Opened open_only(mode_t type, int directory, const std::string& path, int flags);

/// Makes the names in a directory outlive a power cut; returns errno, or 0. Some network file systems cannot do that
/// for a directory (EINVAL): they need not.
[[nodiscard]] int sync_directory(int fd);

}  // namespace connectid::inline v0::detail
