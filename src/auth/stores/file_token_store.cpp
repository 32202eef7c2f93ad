#include <connectid/auth/file_token_store.hpp>
#include <connectid/auth/token_source.hpp>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <utility>

#include "auth/stores/private_directory.hpp"
#include "auth/stores/stored_token_json.hpp"
#include "auth/stores/stores.hpp"
#include "base/files.hpp"
#include "base/pause.hpp"
#include "base/random.hpp"
#include "base/sha256.hpp"
#include "base/uninterrupted.hpp"

namespace connectid::inline v0::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto lock_name = "lock";
constexpr auto ending = ".json";

/// The hash, for an account's name may hold anything, and be of any length.
std::string file_name(const std::string& account) { return detail::to_hex(detail::sha256(account)) + ending; }

/// Which byte of the one lock file is this account's. Two that share one, of 2^62, would only wait for each other.
off_t byte_of(const std::string& account) {
  const detail::Sha256 hash = detail::sha256(account);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8U | hash[i];
  return static_cast<off_t>(number >> 2U);
}

/// A lock on one byte of an open file: of this descriptor, so that threads exclude each other, too.
class ByteLock {
 public:
  ByteLock(detail::Fd fd, off_t byte) noexcept : fd_(std::move(fd)), byte_(byte) {}
  ByteLock(const ByteLock&) = delete;
  ByteLock& operator=(const ByteLock&) = delete;
  /// Not left to the close: the process may have forked, and the child have the descriptor, too.
  ~ByteLock() { static_cast<void>(set(F_UNLCK)); }

  /// Returns 0: it is held; EAGAIN: by somebody else; another errno: it cannot be.
  [[nodiscard]] int try_lock() const noexcept {
    const int error = set(F_WRLCK);
    return error == EACCES ? EAGAIN : error;
  }

 private:
  [[nodiscard]] int set(short type) const noexcept {
    struct flock range {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = byte_;
    range.l_len = 1;
    return detail::uninterrupted([&] { return ::fcntl(fd_.get(), F_OFD_SETLK, &range); }) == 0 ? 0 : errno;
  }

  detail::Fd fd_;
  off_t byte_;
};

/// What the file holds; none where there is none.
Result<std::optional<detail::ReadToken>> read_file(const detail::PrivateDirectory& directory, const std::string& name) {
  const auto text = directory.read(name);
  if (!text) return text.error();
  if (!*text) return std::optional<detail::ReadToken>();
  detail::ReadToken read = detail::read_stored_token((*text)->reveal());
  if (read.newer_format) return directory.unusable(name, {"a newer version of this library wrote it: use that one"});
  if (read.damage.empty() && file_name(read.account) != name) read.damage = "it is of another account";
  return std::optional(std::move(read));
}

std::string broken(const detail::PrivateDirectory& directory, const std::string& name, const std::string& damage) {
  return "the token file " + directory.quoted(name) + " is broken (" + damage + "), and is kept";
}

}  // namespace

FileTokenStore::FileTokenStore(std::filesystem::path directory) : directory_(std::move(directory)) {}
FileTokenStore::~FileTokenStore() = default;

Result<std::optional<StoredToken>> FileTokenStore::load(const std::string& account) {
  if (const auto possible = detail::can_be_kept(account, {}); !possible) return possible.error();
  const auto directory = detail::PrivateDirectory::open(directory_);
  if (!directory) return directory.error();
  if (!*directory) return std::optional<StoredToken>();
  const std::string name = file_name(account);
  auto read = read_file(**directory, name);
  if (!read) return read.error();
  if (!*read) return std::optional<StoredToken>();
  if ((*read)->damage.empty()) return std::optional(std::move((*read)->token));
  return token_error(
      broken(**directory, name, (*read)->damage) + ": log in again as account " + detail::quoted_account(account),
      {.log_in_again = true});
}

Result<void> FileTokenStore::save(const std::string& account, const StoredToken& token) {
  if (auto possible = detail::can_be_kept(account, token); !possible) return possible;
  const auto directory = detail::PrivateDirectory::make(directory_);
  if (!directory) return directory.error();
  const std::string name = file_name(account);
  const auto before = read_file(*directory, name);
  if (!before) return before.error();
  const bool damaged = *before && !(*before)->damage.empty();
  return directory->replace(
      name, detail::stored_token_json(account, token),
      damaged ? detail::PrivateDirectory::Old::is_kept : detail::PrivateDirectory::Old::is_dropped);
}

/// Whatever is there: the file of an account that nobody wants any more need not be read.
Result<void> FileTokenStore::remove(const std::string& account) {
  const auto directory = detail::PrivateDirectory::open(directory_);
  if (!directory) return directory.error();
  return *directory ? (*directory)->remove(file_name(account)) : Result<void>();
}

Result<TokenStore::Lock> FileTokenStore::lock(const std::string& account, const LockRequest& request) {
  const auto directory = detail::PrivateDirectory::make(directory_);
  if (!directory) return directory.error();
  auto file = directory->lock_file(lock_name);
  if (!file) return file.error();
  const auto lock = std::make_shared<ByteLock>(*std::move(file), byte_of(account));
  constexpr milliseconds first_pause{1}, longest_pause{20};
  for (milliseconds pause = first_pause;; pause = std::min(pause * 2, longest_pause)) {
    const int error = lock->try_lock();
    if (error == 0) return Lock(lock);
    if (error != EAGAIN)
      return directory->unusable(lock_name, {"it cannot be locked: " + detail::system_says(error), error});
    const auto now = steady_clock::now();
    if (now >= request.deadline || request.stop.stop_requested())
      return detail::lock_not_had(account, request.stop, "thread or process");
    // Not all at the same time, should many wait for one.
    const auto spread = std::chrono::round<steady_clock::duration>(pause * (0.5 + detail::random_fraction() / 2));
    detail::pause_until(std::min(request.deadline, now + spread), request.stop);
  }
}

Result<std::vector<StoredAccount>> FileTokenStore::accounts() const {
  const auto directory = detail::PrivateDirectory::open(directory_);
  if (!directory) return directory.error();
  std::vector<StoredAccount> all;
  if (!*directory) return all;
  const auto names = (*directory)->names();
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (!name.ends_with(ending)) continue;
    auto read = read_file(**directory, name);
    if (!read) {
      all.push_back({.token = read.error()});
    } else if (*read && !(*read)->damage.empty()) {
      all.push_back({.token = token_error(broken(**directory, name, (*read)->damage), {.log_in_again = true})});
    } else if (*read) {
      all.push_back({.name = std::move((*read)->account), .token = std::move((*read)->token)});
    }
  }
  std::ranges::sort(all, {}, [](const StoredAccount& one) {
    return std::pair(one.name, one.token ? std::string() : one.token.error().message());
  });
  return all;
}

}  // namespace connectid::inline v0::auth
