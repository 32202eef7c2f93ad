#include "sqlite_token_store.hpp"

#include <connectid/auth/token_source.hpp>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;
using connectid::Error;
using connectid::Outcome;
using connectid::Result;
using connectid::Timestamp;
using connectid::auth::LockRequest;
using connectid::auth::StoredToken;
using connectid::auth::TokenStore;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// FULL: what is committed is on the disk. secure_delete: what is removed is overwritten.
constexpr auto settings = R"(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
)";

/// From nothing, or from version 0, which had no `refused`.
constexpr auto version_1 = R"(
  CREATE TABLE IF NOT EXISTS tokens (
    account BLOB PRIMARY KEY,
    access_token TEXT NOT NULL, obtained_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    refresh_token TEXT NOT NULL, api_url TEXT NOT NULL, login_url TEXT NOT NULL, client_id TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS leases (
    account BLOB PRIMARY KEY, owner INTEGER NOT NULL, ends_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  ALTER TABLE tokens ADD COLUMN refused TEXT NOT NULL DEFAULT '';
  PRAGMA user_version = 1;
)";

constexpr auto load_sql =
    "SELECT access_token, obtained_at, expires_at, refresh_token, api_url, login_url, client_id, refused FROM "
    "tokens WHERE account = ?";
constexpr auto save_sql =
    "REPLACE INTO tokens (account, access_token, obtained_at, expires_at, refresh_token, api_url, login_url, "
    "client_id, refused) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr auto remove_sql = "DELETE FROM tokens WHERE account = ?";
constexpr auto lease_sql =
    "INSERT INTO leases (account, owner, ends_at) VALUES (?1, ?2, ?3) "
    "ON CONFLICT (account) DO UPDATE SET owner = ?2, ends_at = ?3 WHERE ends_at <= ?4";
// Whose lease it is is asked, and not when it ends: its own may have ended, but it has been nobody else's since.
constexpr auto others_lease_sql = "SELECT 1 FROM leases WHERE account = ? AND ends_at > ?";
constexpr auto own_lease_sql = "SELECT 1 FROM leases WHERE account = ? AND owner = ?";
// Only its own: one that lasted too long may be somebody else's by now.
constexpr auto release_sql = "DELETE FROM leases WHERE account = ? AND owner = ?";

/// What may go wrong here.
struct Failure : std::runtime_error {
  Failure(const std::string& why, bool may_pass) : std::runtime_error(why), temporary(may_pass) {}
  bool temporary;
};

Failure failed(sqlite3* db) {
  const int code = sqlite3_errcode(db);
  return {sqlite3_errmsg(db), code == SQLITE_BUSY || code == SQLITE_FULL || code == SQLITE_IOERR};
}

/// An account's name is bound as a BLOB: it may hold anything.
struct Bytes {
  std::string_view text;
};

/// One statement, run once. What is bound must live as long.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) { check(sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr)); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  Statement& bind(Bytes value) {
    const auto size = static_cast<sqlite3_uint64>(value.text.size());
    return check(sqlite3_bind_blob64(statement_, ++bound_, value.text.data(), size, SQLITE_STATIC));
  }
  Statement& bind(const std::string& value) {
    const auto size = static_cast<sqlite3_uint64>(value.size());
    return check(sqlite3_bind_text64(statement_, ++bound_, value.data(), size, SQLITE_STATIC, SQLITE_UTF8));
  }
  Statement& bind(std::int64_t value) { return check(sqlite3_bind_int64(statement_, ++bound_, value)); }
  Statement& bind(Timestamp value) { return bind(std::int64_t{value.time_since_epoch().count()}); }

  /// Whether it gives a row.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) throw failed(db_);
    return code == SQLITE_ROW;
  }

  /// Of the row that `step` gave, from the left.
  std::string text() {
    const int column = read_++;
    const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {bytes, bytes + sqlite3_column_bytes(statement_, column)};
  }
  std::int64_t number() { return sqlite3_column_int64(statement_, read_++); }
  Timestamp time() { return Timestamp{milliseconds{number()}}; }

 private:
  Statement& check(int code) {
    if (code != SQLITE_OK) throw failed(db_);
    return *this;
  }

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
  int read_ = 0;
};

void run(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) throw failed(db);
}

/// All or nothing, and nobody else writes meanwhile.
void in_one_transaction(sqlite3* db, const auto& work) {
  run(db, "BEGIN IMMEDIATE");
  try {
    work();
    run(db, "COMMIT");
  } catch (...) {
    sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);  // or SQLite has done so
    throw;
  }
}

/// SQLite would make it for all to read; what it puts beside it has the same permissions. Made, and never just opened:
/// a close would end the locks of everybody in this process who has the file open.
void make_private_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd >= 0) ::close(fd);
  struct stat status {};
  if ((fd < 0 && errno != EEXIST) || ::stat(path.c_str(), &status) != 0) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw std::runtime_error(path + " is not its owner's alone: fix that with chmod 600");
  }
}

/// Of two that begin a new file at once SQLite refuses one, and lets it wait for nothing.
void set_up(sqlite3* db) {
  for (const auto until = steady_clock::now() + std::chrono::seconds{5};; std::this_thread::sleep_for(5ms)) {
    const int code = sqlite3_exec(db, settings, nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) break;
    if (code != SQLITE_BUSY || steady_clock::now() >= until) throw failed(db);
  }
  in_one_transaction(db, [&] {
    Statement version(db, "PRAGMA user_version");
    if (version.step() && version.number() == 0) run(db, version_1);
  });
}

Timestamp now() { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }

/// No two leases have the same owner, though it be the same thread that asks.
std::int64_t random_number() {
  std::random_device random;
  return static_cast<std::int64_t>(std::uint64_t{random()} << 32U | random());
}

void wait_until(steady_clock::time_point time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any nobody_notifies;
  std::unique_lock lock(mutex);
  nobody_notifies.wait_until(lock, stop, time, [] { return false; });
}

Error not_had(connectid::ErrorDetail why) {
  return {Outcome::not_sent, std::move(why), "the account is locked by another thread or process"};
}

/// What goes wrong is told by exceptions here, and by an Error to the outside. SQLite's words hold no value that was
/// bound.
template <class T>
Result<T> result_of(const auto& work) {
  const auto error = [](const std::exception& failure, bool temporary) {
    return connectid::token_error(std::string("the token database: ") + failure.what(), {.temporary = temporary});
  };
  try {
    return work();
  } catch (const Failure& failure) {
    return error(failure, failure.temporary);
  } catch (const std::exception& failure) {
    return error(failure, false);
  }
}

}  // namespace

/// One connection; one thread at a time.
class SqliteTokenStore::Database {
 public:
  explicit Database(const std::string& path) {
    make_private_file(path);
    const int code = sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    sqlite3_busy_timeout(db_, 5000);
    try {
      if (code != SQLITE_OK) throw failed(db_);
      set_up(db_);
    } catch (const std::runtime_error& failure) {
      sqlite3_close(db_);
      throw std::runtime_error(path + ": " + failure.what());
    }
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { sqlite3_close(db_); }

  std::optional<StoredToken> load(const std::string& account) {
    const std::lock_guard lock(mutex_);
    Statement row(db_, load_sql);
    if (!row.bind(Bytes{account}).step()) return std::nullopt;
    StoredToken token;  // one after the other: the columns are read from the left
    token.access_token = row.text();
    token.obtained_at = row.time();
    token.expires_at = row.time();
    token.refresh_token = row.text();
    token.api_url = row.text();
    token.login_url = row.text();
    token.client_id = row.text();
    token.refused = row.text();
    return token;
  }

  void save(const std::string& account, const StoredToken& token) {
    change(account, [&] {
      Statement(db_, save_sql)
          .bind(Bytes{account})
          .bind(token.access_token.reveal())
          .bind(token.obtained_at)
          .bind(token.expires_at)
          .bind(token.refresh_token.reveal())
          .bind(token.api_url)
          .bind(token.login_url)
          .bind(token.client_id)
          .bind(token.refused)
          .step();
    });
  }

  void remove(const std::string& account) {
    change(account, [&] { Statement(db_, remove_sql).bind(Bytes{account}).step(); });
  }

  /// Whether it was had: nobody has one, or only one that has ended. A thread of this process does not die, so its
  /// lease ends when it gives it back.
  bool lease(const std::string& account, std::int64_t owner, milliseconds lasts) {
    const std::lock_guard lock(mutex_);
    if (held_.contains(account)) return false;
    const Timestamp time = now();
    Statement(db_, lease_sql).bind(Bytes{account}).bind(owner).bind(time + lasts).bind(time).step();
    return sqlite3_changes(db_) == 1 && held_.emplace(account, owner).second;
  }

  void release(const std::string& account, std::int64_t owner) noexcept {
    try {
      const std::lock_guard lock(mutex_);
      held_.erase(account);
      Statement(db_, release_sql).bind(Bytes{account}).bind(owner).step();
    } catch (const std::exception&) {  // then it ends by itself
    }
  }

 private:
  /// Only where the account's lease is still what it was taken for.
  void change(const std::string& account, const auto& work) {
    const std::lock_guard lock(mutex_);
    in_one_transaction(db_, [&] {
      const auto own = held_.find(account);
      const bool held = own != held_.end();
      Statement lease(db_, held ? own_lease_sql : others_lease_sql);
      lease.bind(Bytes{account});
      const bool found = (held ? lease.bind(own->second) : lease.bind(now())).step();
      if (held && !found) throw Failure("the lease of the account ended, and somebody else has had it since", true);
      if (!held && found) throw Failure("somebody else has the lease of the account", true);
      work();
    });
  }

  std::mutex mutex_;
  std::map<std::string, std::int64_t> held_;  // by account: the owner of this store's lease
  sqlite3* db_ = nullptr;
};

SqliteTokenStore::SqliteTokenStore(const std::string& path, milliseconds margin)
    : database_(std::make_shared<Database>(path)), margin_(margin) {}
SqliteTokenStore::~SqliteTokenStore() = default;

Result<std::optional<StoredToken>> SqliteTokenStore::load(const std::string& account) {
  return result_of<std::optional<StoredToken>>([&] { return database_->load(account); });
}

Result<void> SqliteTokenStore::save(const std::string& account, const StoredToken& token) {
  return result_of<void>([&] {
    database_->save(account, token);
    return Result<void>();
  });
}

Result<void> SqliteTokenStore::remove(const std::string& account) {
  return result_of<void>([&] {
    database_->remove(account);
    return Result<void>();
  });
}

Result<TokenStore::Lock> SqliteTokenStore::lock(const std::string& account, const LockRequest& request) {
  return result_of<Lock>([&]() -> Result<Lock> {
    const std::int64_t owner = random_number();
    const milliseconds lasts = std::min<milliseconds>(request.held_for, 1h) + margin_;
    constexpr milliseconds first_pause{1}, longest_pause{50};
    for (milliseconds pause = first_pause;; pause = std::min(2 * pause, longest_pause)) {
      if (database_->lease(account, owner, lasts)) {
        return Lock(database_.get(),
                    [database = database_, account, owner](void*) { database->release(account, owner); });
      }
      const auto time = steady_clock::now();
      if (request.stop.stop_requested()) return not_had(connectid::Cancelled{connectid::Stage::token});
      if (time >= request.deadline) return not_had(connectid::DeadlineExceeded{connectid::Stage::token});
      wait_until(std::min(request.deadline, time + pause), request.stop);
    }
  });
}
