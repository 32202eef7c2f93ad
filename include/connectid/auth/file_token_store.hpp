#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <connectid/auth/token_store.hpp>
#include <connectid/export.hpp>

namespace connectid::inline v0::auth {

/// One account of a FileTokenStore.
struct StoredAccount {
  std::string name = {};                      ///< empty where its file cannot be read
  Result<StoredToken> token = StoredToken{};  ///< what is kept of it, or why its file cannot be used
};

/// Keeps tokens in a directory: one file of JSON an account, named by the SHA-256 of the account's name, for its owner
/// alone (0600, in a directory of 0700). A file is replaced whole or not at all, whenever the process or the machine
/// dies, and is on the disk before `save` returns. Locks hold across threads and processes, and end with their process.
///
/// Refused, as a `configuration_error` that says what to do: a file or directory that others may read or write, one of
/// another user's, a symbolic link, a file of a newer version of this library or of more than 1 MiB; an account's name
/// that is not UTF-8. What the disk has no room for, or does not read or write, is a `token_error` that is `temporary`.
/// A file that is broken is an error of `load` that says `log_in_again`; the next `save` keeps it aside, with `.broken`
/// behind its name (and a number where there is one already), and writes a new one. `remove` removes an account's file,
/// whatever it is; what was kept aside stays.
///
/// What a crash left of a `save` has `.new` behind its name. `lock` and `save` put it in its place where it is whole,
/// drop it where it is not, and refuse one that is refused above. `load` and `accounts` do not see it.
///
/// A lock file that somebody deletes or replaces is noticed by whoever waits for it or takes it, and not by who has it:
/// keep cleaners of old files away from the directory.
///
/// Thread-safe. The directory must be on a file system of this machine's, or on one whose locks hold between machines;
/// it must have hard links for what is kept aside.
class CONNECTID_API FileTokenStore final : public TokenStore {
 public:
  /// The directory is made when something is saved or locked first, and what it lies in with it (0700). It is looked up
  /// in each call, a relative one from where the process is then.
  explicit FileTokenStore(std::filesystem::path directory);
  ~FileTokenStore() override;

  /// See TokenStore; reads one file.
  [[nodiscard]] Result<std::optional<StoredToken>> load(const std::string& account) override;
  /// See TokenStore; the cost does not grow with the number of accounts.
  [[nodiscard]] Result<void> save(const std::string& account, const StoredToken& token) override;
  /// See TokenStore.
  [[nodiscard]] Result<void> remove(const std::string& account) override;
  /// See TokenStore. Who has to wait looks again every few milliseconds.
  [[nodiscard]] Result<Lock> lock(const std::string& account, const LockRequest& request) override;

  /// All accounts, in the order of their names; reads every file.
  [[nodiscard]] Result<std::vector<StoredAccount>> accounts() const;

 private:
  std::filesystem::path directory_;
};

}  // namespace connectid::inline v0::auth
