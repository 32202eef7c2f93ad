// A token store over a database: copy it, and make of it what yours needs. Here it is SQLite 3.
#pragma once

#include <connectid/auth/token_store.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

/// Keeps tokens in a database file, for its owner alone (0600). Thread-safe; any number of processes of one machine may
/// use the file.
///
/// A lock is a lease: a row that says until when. A transaction would not do: SQLite has one writer at a time, so one
/// that is open while a token is renewed would lock all accounts. A lease of a process that died ends by itself.
///
/// A lease may end while its holder still renews: a process that was suspended, a clock that was set. If another store
/// has taken it by then, `save` and `remove` are refused with a temporary error: what the other saved is newer. A store
/// without a lease is refused while another's lives. Two threads with one store never have the same lease.
class SqliteTokenStore final : public connectid::auth::TokenStore {
 public:
  /// Opens the file, or makes it, or gives one of an earlier version what it lacks; throws std::runtime_error where it
  /// cannot be used. A lease lasts as long as its lock is held, by the request for it, and so much longer, to save.
  explicit SqliteTokenStore(const std::string& path, std::chrono::milliseconds margin = std::chrono::seconds{30});
  ~SqliteTokenStore() override;

  [[nodiscard]] connectid::Result<std::optional<connectid::auth::StoredToken>> load(
      const std::string& account) override;
  [[nodiscard]] connectid::Result<void> save(const std::string& account,
                                             const connectid::auth::StoredToken& token) override;
  [[nodiscard]] connectid::Result<void> remove(const std::string& account) override;
  [[nodiscard]] connectid::Result<Lock> lock(const std::string& account,
                                             const connectid::auth::LockRequest& request) override;

 private:
  class Database;
  std::shared_ptr<Database> database_;  // a lock that is still held has it, too
  std::chrono::milliseconds margin_;
};
