#include "base/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/uninterrupted.hpp"

namespace connectid::inline v0::detail {

std::string system_says(int error) { return std::generic_category().message(error); }

Opened open_only(mode_t type, int directory, const std::string& path, int flags) {
  const auto refuse = [](int error, std::string why) { return Opened{.reason = {std::move(why), error}}; };
  const std::string another_type = type == S_IFDIR ? "it is not a directory" : "it is not a regular file";
  if (path.find('\0') != std::string::npos) return refuse(EINVAL, "its name holds a zero byte");
  constexpr int only_this = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  Opened opened{.fd = Fd(::openat(directory, path.c_str(), flags | only_this, S_IRUSR | S_IWUSR))};
  if (!opened.fd) {
    const int error = errno;
    if (error == ELOOP) return refuse(error, "it is a symbolic link");
    return error == EISDIR ? refuse(ENOTSUP, another_type) : refuse(error, system_says(error));
  }
  if (::fstat(opened.fd.get(), &opened.status) != 0) return refuse(errno, system_says(errno));
  if ((opened.status.st_mode & S_IFMT) != type) return refuse(ENOTSUP, another_type);
  return opened;
}

int sync_directory(int fd) {
  const bool synced = uninterrupted([&] { return ::fsync(fd); }) == 0;
  return synced || errno == EINVAL ? 0 : errno;
}

}  // namespace connectid::inline v0::detail
