#include "auth/stores/private_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <connectid/auth/token_source.hpp>

#include "base/files.hpp"
#include "base/text.hpp"
#include "base/uninterrupted.hpp"

namespace connectid::inline v0::detail {
namespace {

constexpr auto behind_new = ".new";
constexpr auto behind_broken = ".broken";

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

/// As long as it was when it was opened, for it is replaced and never written to.
Result<Secret> read_whole(const Opened& opened, const auto& unusable) {
  std::string text(static_cast<std::size_t>(opened.status.st_size), '\0');
  std::size_t size = 0;
  for (ssize_t count = 1; count > 0 && size < text.size(); size += static_cast<std::size_t>(count)) {
    count = uninterrupted([&] { return ::read(opened.fd.get(), text.data() + size, text.size() - size); });
    if (count < 0) return unusable(Reason::of(errno));
  }
  text.resize(size);
  return Secret(std::move(text));
}

}  // namespace

Result<std::optional<PrivateDirectory>> PrivateDirectory::open(const std::string& path) {
  if (path.empty()) return Error(Outcome::not_sent, ConfigurationError{}, "the directory for tokens has no name");
  Opened opened = open_only(S_IFDIR, AT_FDCWD, without_last_slashes(path), O_RDONLY);
  if (opened.reason.error == ENOENT) return std::optional<PrivateDirectory>();
  if (const Reason why = reason_against(opened, "700")) return cannot_be_used(path, why);
  return std::optional(PrivateDirectory(std::move(opened.fd), path));
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

Result<std::optional<Secret>> PrivateDirectory::read(const std::string& name) const {
  const Opened opened = open_only(S_IFREG, fd_.get(), name, O_RDONLY);
  if (opened.reason.error == ENOENT) return std::optional<Secret>();
  if (const Reason why = reason_against(opened, "600")) return unusable(name, why);
  const bool fits = static_cast<std::size_t>(opened.status.st_size) <= longest_file;
  if (!fits) return unusable(name, {"it is larger than 1 MiB: move it away"});
  auto text = read_whole(opened, [&](const Reason& why) { return unusable(name, why); });
  if (!text) return text.error();
  return std::optional(*std::move(text));
}

Result<void> PrivateDirectory::replace(const std::string& name, const Secret& text, Old old) const {
  if (text.reveal().size() > longest_file) return unusable(name, {"it would be larger than 1 MiB"});
  const std::string new_name = name + behind_new;
  if (const Reason why = write_new(new_name, text.reveal())) return unusable(new_name, why);
  if (const Reason why = Reason::of(old == Old::is_kept ? keep(name) : 0)) {
    return unusable(name, why.behind("it cannot be kept aside: "));
  }
  if (::renameat(fd_.get(), new_name.c_str(), fd_.get(), name.c_str()) != 0) return unusable(name, Reason::of(errno));
  return sync(name);
}

/// Where it returns a reason, there is no such file.
Reason PrivateDirectory::write_new(const std::string& name, const std::string& text) const {
  ::unlinkat(fd_.get(), name.c_str(), 0);  // what a crash left
  const Opened opened = open_only(S_IFREG, fd_.get(), name, O_WRONLY | O_CREAT | O_EXCL);
  if (opened.reason) return opened.reason;
  const int error = write_whole(opened.fd.get(), text);
  if (error != 0) ::unlinkat(fd_.get(), name.c_str(), 0);
  return Reason::of(error);
}

/// A second name, so that at no moment there is neither. Returns errno, or 0.
int PrivateDirectory::keep(const std::string& name) const {
  std::string kept = name + behind_broken;
  for (int number = 2; ::linkat(fd_.get(), name.c_str(), fd_.get(), kept.c_str(), 0) != 0; ++number) {
    if (errno != EEXIST) return errno;
    kept = name + behind_broken + std::to_string(number);
  }
  return 0;
}

Result<void> PrivateDirectory::remove(const std::string& name) const {
  for (const std::string& each : {name + behind_new, name}) {
    const bool gone = ::unlinkat(fd_.get(), each.c_str(), 0) == 0 || errno == ENOENT;
    if (!gone) return unusable(each, Reason::of(errno).behind("it cannot be removed: "));
  }
  return sync(name);
}

/// What was done to the name outlives a power cut.
Result<void> PrivateDirectory::sync(const std::string& name) const {
  const Reason why = Reason::of(sync_directory(fd_.get()));
  return why ? Result<void>(unusable(name, why.behind("its directory: "))) : Result<void>();
}

Result<Fd> PrivateDirectory::lock_file(const std::string& name) const {
  Opened opened = open_only(S_IFREG, fd_.get(), name, O_RDWR | O_CREAT);
  if (const Reason why = reason_against(opened, "600")) return unusable(name, why);
  return std::move(opened.fd);
}

Result<std::vector<std::string>> PrivateDirectory::names() const {
  std::vector<std::string> all;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path_, error), end; !error && at != end; at.increment(error)) {
    all.push_back(at->path().filename());
  }
  if (error) return cannot_be_used(path_, Reason::of(error.value()));
  return all;
}

std::string PrivateDirectory::quoted(const std::string& name) const {
  return quote(without_last_slashes(path_) + "/" + name);
}

Error PrivateDirectory::unusable(const std::string& name, const Reason& why) const {
  return cannot_be_used(without_last_slashes(path_) + "/" + name, why);
}

}  // namespace connectid::inline v0::detail
