#include <connectid/auth/file_token_store.hpp>
#include <connectid/auth/token_source.hpp>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include "auth/stores/private_directory.hpp"
#include "auth/stores/stored_token_json.hpp"
#include "auth/stores/stores.hpp"
#include "base/files.hpp"
#include "base/number.hpp"
#include "base/pause.hpp"
#include "base/random.hpp"
#include "base/sha256.hpp"
#include "base/uninterrupted.hpp"

namespace connectid::inline v0::auth {
namespace {

using detail::PrivateDirectory;
using detail::ReadToken;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto lock_name = "lock";
constexpr auto ending = ".json";
constexpr auto behind_new = ".new";

/// The hash, for an account's name may hold anything, and be of any length.
std::string file_name(const std::string& account) { return detail::to_hex(detail::sha256(account)) + ending; }

/// Which byte of the one lock file is this account's. Two that share one, of 2^62, would only wait for each other.
off_t byte_of(const std::string& account) {
  const std::string name = file_name(account);
  return static_cast<off_t>(detail::number_in<std::uint64_t>(std::string_view(name).substr(0, 16), 16).value() >> 2U);
}

/// Of one byte of an open file, for this descriptor: so threads exclude each other, too. Returns errno, or 0.
int set_lock(const detail::Fd& file, short type, off_t byte) noexcept {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = byte;
  range.l_len = 1;
  return detail::uninterrupted([&] { return ::fcntl(file.get(), F_OFD_SETLK, &range); }) == 0 ? 0 : errno;
}

/// What the file holds; none where there is none.
Result<std::optional<ReadToken>> read_file(const PrivateDirectory& directory, const std::string& name) {
  const auto text = directory.read(name);
  if (!text) return text.error();
  if (!*text) return std::optional<ReadToken>();
  ReadToken read = detail::read_stored_token((*text)->reveal());
  if (read.newer_format) return directory.unusable(name, {"a newer version of this library wrote it: use that one"});
  if (read.damage.empty() && !name.starts_with(file_name(read.account))) read.damage = "it is of another account";
  return std::optional(std::move(read));
}

/// What was written as `.new` is there on return. What is broken is kept aside.
Result<void> put_in_place(const PrivateDirectory& directory, const std::string& name) {
  const auto before = read_file(directory, name);
  if (!before) return before.error();
  const bool damaged = *before && !(*before)->damage.empty();
  if (auto kept = damaged ? directory.keep_aside(name) : Result<void>(); !kept) return kept;
  return directory.rename(name + behind_new, name);
}

/// Ends what a save began that crashed, or failed behind the write. With the lock held, so that nobody writes it now.
///
/// A whole `.new` is newer than what is there, whatever came in between: a save settles the last one before it writes,
/// and `remove` removes it first. It may hold the only refresh token that the server still takes.
/// - None: nothing was begun, or all was done. Half, empty, or another account's: it was never synced, and nobody was
///   told that it was kept. It goes.
/// - Whole: it takes the place, as it would have. It is synced first: the kill may have come before that.
/// - Of a newer version, a link, others may read it, …: an error, and it stays, for it may be whole; whoever used the
///   older token could spend it twice.
/// A crash in here leaves one of these again.
Result<void> settle(const PrivateDirectory& directory, const std::string& name) {
  const std::string new_name = name + behind_new;
  const auto left = read_file(directory, new_name);
  if (!left) return left.error();
  if (!*left) return {};
  if (!(*left)->damage.empty()) return directory.remove({new_name});
  auto synced = directory.sync(new_name);
  return synced ? put_in_place(directory, name) : synced;
}

std::string broken(const PrivateDirectory& directory, const std::string& name, const std::string& damage) {
  return "the token file " + directory.quoted(name) + " is broken (" + damage + "), and is kept";
}

/// None: somebody else has it, or had its file replaced before it was locked.
Result<TokenStore::Lock> try_lock(const std::string& path, const std::string& account) {
  const auto directory = PrivateDirectory::make(path);
  if (!directory) return directory.error();
  auto file = directory->lock_file(lock_name);
  if (!file) return file.error();
  const off_t byte = byte_of(account);
  const int error = set_lock(*file, F_WRLCK, byte);
  if (error == EAGAIN || error == EACCES) return TokenStore::Lock();
  if (const auto why = detail::Reason::of(error)) {
    return directory->unusable(lock_name, why.behind("it cannot be locked: "));
  }
  if (!directory->leads_to(lock_name, *file)) return TokenStore::Lock();
  // Not left to the close: the process may have forked, and the child have the descriptor, too.
  const auto held = std::make_shared<detail::Fd>(*std::move(file));
  const TokenStore::Lock lock(held.get(), [held, byte](void*) { static_cast<void>(set_lock(*held, F_UNLCK, byte)); });
  const auto settled = settle(*directory, file_name(account));
  return settled ? Result<TokenStore::Lock>(lock) : settled.error();
}

}  // namespace

FileTokenStore::FileTokenStore(std::filesystem::path directory) : directory_(std::move(directory)) {}
FileTokenStore::~FileTokenStore() = default;

Result<std::optional<StoredToken>> FileTokenStore::load(const std::string& account) {
  if (const auto possible = detail::can_be_kept(account, {}); !possible) return possible.error();
  const auto directory = PrivateDirectory::open(directory_);
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
  const auto directory = PrivateDirectory::make(directory_);
  if (!directory) return directory.error();
  const std::string name = file_name(account);
  if (auto settled = settle(*directory, name); !settled) return settled;  // a save of this lock's may have failed
  if (const auto before = read_file(*directory, name); !before) return before.error();
  auto written = directory->write(name + behind_new, detail::stored_token_json(account, token));
  return written ? put_in_place(*directory, name) : written;
}

/// Whatever is there: the file of an account that nobody wants any more need not be read.
Result<void> FileTokenStore::remove(const std::string& account) {
  const auto directory = PrivateDirectory::open(directory_);
  if (!directory) return directory.error();
  const std::string name = file_name(account);
  // The `.new` first: it would take the place of what is gone.
  return *directory ? (*directory)->remove({name + behind_new, name}) : Result<void>();
}

Result<TokenStore::Lock> FileTokenStore::lock(const std::string& account, const LockRequest& request) {
  constexpr milliseconds first_pause{1}, longest_pause{20};
  for (milliseconds pause = first_pause;; pause = std::min(pause * 2, longest_pause)) {
    auto lock = try_lock(directory_, account);  // all is opened anew: whoever replaced it meanwhile locks the new one
    if (!lock || *lock) return lock;
    const auto now = steady_clock::now();
    if (now >= request.deadline || request.stop.stop_requested())
      return detail::lock_not_had(account, request.stop, "thread or process");
    // Not all at the same time, should many wait for one.
    const auto spread = std::chrono::round<steady_clock::duration>(pause * (0.5 + detail::random_fraction() / 2));
    detail::pause_until(std::min(request.deadline, now + spread), request.stop);
  }
}

Result<std::vector<StoredAccount>> FileTokenStore::accounts() const {
  const auto directory = PrivateDirectory::open(directory_);
  if (!directory) return directory.error();
  std::vector<StoredAccount> all;
  if (!*directory) return all;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory_, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
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
  if (error) return (*directory)->unusable("", detail::Reason::of(error.value()));
  std::ranges::sort(all, {}, [](const StoredAccount& one) {
    return std::pair(one.name, one.token ? std::string() : one.token.error().message());
  });
  return all;
}

}  // namespace connectid::inline v0::auth
