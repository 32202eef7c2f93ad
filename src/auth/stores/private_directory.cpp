#include "auth/stores/private_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include <connectid/auth/token_source.hpp>

#include "base/files.hpp"
#include "base/text.hpp"
#include "base/uninterrupted.hpp"

namespace connectid::inline v0::detail {
namespace {

constexpr auto behind_broken = ".broken";
constexpr std::size_t longest_file = std::size_t{1} << 20;

std::string quote(const std::string& path) { return '"' + printable(path, 500) + '"'; }

/// What was asked too much of, and not what is set up wrongly.
bool may_pass(int error) {
  constexpr std::array passing = {EAGAIN,  EDQUOT, EFBIG,  EIO,    EMFILE, ENFILE,
                                  ENOBUFS, ENOLCK, ENOMEM, ENOSPC, ESTALE, ETIMEDOUT};
  return std::ranges::find(passing, error) != passing.end();
}

Error cannot_be_used(const std::string& path, const Reason& reason) {
  const std::string message = quote(path) + " cannot be used: " + reason.why;
  if (may_pass(reason.error)) return token_error(message, {.temporary = true});
  return {Outcome::not_sent, ConfigurationError{}, message};
}

/// Why what was opened is not its owner's alone, or was not opened.
Reason reason_against(const Opened& opened, const char* permissions) {
  if (opened.reason.error == ELOOP) return {opened.reason.why + ": name what it leads to, or put that in its place"};
  if (opened.reason.error == ENOTSUP) return {opened.reason.why + ": move it away"};
  if (opened.reason) return opened.reason;
  if (opened.status.st_uid != ::geteuid()) {
    return {"it belongs to another user: use it as the user with the id " + std::to_string(opened.status.st_uid) +
            ", or change its owner"};
  }
  const bool shared = (opened.status.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0;
  return {shared ? std::string("others may read or write it: fix that with chmod ") + permissions : ""};
}

std::string without_last_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

/// On the disk on return, unless there is a reason why not.
Reason make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), S_IRWXU) != 0) return Reason::of(errno == EEXIST ? 0 : errno);
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Fd fd(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return Reason::of(fd ? sync_directory(fd.get()) : errno);
}

/// Returns errno, or 0.
int write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = uninterrupted([&] { return ::write(fd, text.data(), text.size()); });
    if (count < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return uninterrupted([&] { return ::fsync(fd); }) == 0 ? 0 : errno;
}

}  // namespace

Result<std::optional<PrivateDirectory>> PrivateDirectory::open(const std::string& path) {
  if (path.empty()) return Error(Outcome::not_sent, ConfigurationError{}, "the directory for tokens has no name");
  const std::string name = without_last_slashes(path);
  Opened opened = open_only(S_IFDIR, AT_FDCWD, name, O_RDONLY);
  if (opened.reason.error == ENOENT) return std::optional<PrivateDirectory>();
  if (const Reason why = reason_against(opened, "700")) return cannot_be_used(name, why);
  return std::optional(PrivateDirectory(std::move(opened.fd), name));
}

Result<PrivateDirectory> PrivateDirectory::make(const std::string& path) {
  auto there = open(path);
  if (!there) return there.error();
  for (std::size_t end = 0; !*there && end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    if (const Reason why = make_directory(part)) return cannot_be_used(part, why);
  }
  if (!*there) there = open(path);
  if (!there) return there.error();
  if (!*there) return cannot_be_used(path, {"it was removed while it was made"});
  return *std::move(*there);
}

/// As long as it was when it was opened, for it is replaced and never written to.
Result<std::optional<Secret>> PrivateDirectory::read(const std::string& name) const {
  const Opened opened = open_only(S_IFREG, fd_.get(), name, O_RDONLY);
  if (opened.reason.error == ENOENT) return std::optional<Secret>();
  if (const Reason why = reason_against(opened, "600")) return unusable(name, why);
  const auto length = static_cast<std::size_t>(opened.status.st_size);
  if (length > longest_file) return unusable(name, {"it is larger than 1 MiB: move it away"});
  std::string text(length, '\0');
  std::size_t size = 0;
  for (ssize_t count = 1; count > 0 && size < length; size += static_cast<std::size_t>(count)) {
    count = uninterrupted([&] { return ::read(opened.fd.get(), text.data() + size, length - size); });
    if (count < 0) return unusable(name, Reason::of(errno));
  }
  text.resize(size);
  return std::optional<Secret>(std::move(text));
}

Result<void> PrivateDirectory::write(const std::string& name, const Secret& text) const {
  if (text.reveal().size() > longest_file) return unusable(name, {"it would be larger than 1 MiB"});
  const Opened opened = open_only(S_IFREG, fd_.get(), name, O_WRONLY | O_CREAT | O_EXCL);
  if (opened.reason) return unusable(name, opened.reason);
  const int error = write_whole(opened.fd.get(), text.reveal());
  if (error == 0) return {};
  ::unlinkat(fd_.get(), name.c_str(), 0);
  return unusable(name, Reason::of(error));
}

Result<void> PrivateDirectory::sync(const std::string& name) const {
  const Opened opened = open_only(S_IFREG, fd_.get(), name, O_RDONLY);
  if (opened.reason) return unusable(name, opened.reason);
  const bool synced = uninterrupted([&] { return ::fsync(opened.fd.get()); }) == 0;
  return synced ? Result<void>() : unusable(name, Reason::of(errno));
}

/// A second name, so that at no moment there is neither.
Result<void> PrivateDirectory::keep_aside(const std::string& name) const {
  std::string kept = name + behind_broken;
  for (int number = 2; ::linkat(fd_.get(), name.c_str(), fd_.get(), kept.c_str(), 0) != 0; ++number) {
    if (errno != EEXIST) return unusable(name, Reason::of(errno).behind("it cannot be kept aside: "));
    kept = name + behind_broken + std::to_string(number);
  }
  return {};
}

Result<void> PrivateDirectory::rename(const std::string& from, const std::string& to) const {
  if (::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()) != 0) return unusable(to, Reason::of(errno));
  return sync_names(to);
}

Result<void> PrivateDirectory::remove(std::initializer_list<std::string> names) const {
  for (const std::string& name : names) {
    const bool gone = ::unlinkat(fd_.get(), name.c_str(), 0) == 0 || errno == ENOENT;
    if (!gone) return unusable(name, Reason::of(errno).behind("it cannot be removed: "));
  }
  return sync_names(*names.begin());
}

Result<void> PrivateDirectory::sync_names(const std::string& of) const {
  const Reason why = Reason::of(sync_directory(fd_.get()));
  return why ? Result<void>(unusable(of, why.behind("its directory: "))) : Result<void>();
}

Result<Fd> PrivateDirectory::lock_file(const std::string& name) const {
  Opened opened = open_only(S_IFREG, fd_.get(), name, O_RDWR | O_CREAT);
  if (const Reason why = reason_against(opened, "600")) return unusable(name, why);
  return std::move(opened.fd);
}

bool PrivateDirectory::leads_to(const std::string& name, const Fd& fd) const {
  struct stat named {};
  struct stat opened {};
  return ::lstat((path_ + "/" + name).c_str(), &named) == 0 && ::fstat(fd.get(), &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

std::string PrivateDirectory::quoted(const std::string& name) const { return quote(path_ + "/" + name); }

Error PrivateDirectory::unusable(const std::string& name, const Reason& why) const {
  return cannot_be_used(path_ + "/" + name, why);
}

}  // namespace connectid::inline v0::detail
