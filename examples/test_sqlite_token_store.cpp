// The store over a database is what every store must be, and its leases end by themselves.
#include "sqlite_token_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/canary_token.hpp"
#include "support/temporary_directory.hpp"
#include "support/token_store_contract.hpp"

namespace connectid::auth {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using ::testing::HasSubstr;

StoreKind sqlite() {
  return {"sqlite", [](const TemporaryDirectory& directory) {
            return [path = directory / "tokens.db"] { return std::make_shared<SqliteTokenStore>(path); };
          }};
}
CONNECTID_TOKEN_STORE_CONTRACT(sqlite());

/// The message of an error that may pass.
std::string temporary(const Result<void>& result) {
  const auto* const detail = result ? nullptr : result.error().get_if<TokenError>();
  EXPECT_TRUE(detail && detail->temporary);
  if (!result) expect_fit_to_be_shown(result.error());
  return result ? std::string() : result.error().message();
}

class SqliteTokenStoreTest : public ::testing::Test {
 protected:
  const TemporaryDirectory directory;
  const std::string path = directory / "tokens.db";
};

TEST_F(SqliteTokenStoreTest, keeps_all_to_its_owner) {
  SqliteTokenStore store(path);
  ASSERT_TRUE(store.save("anna", canary_token("1")));
  int files = 0;
  for (const auto& entry : fs::directory_iterator(directory / ".")) {
    EXPECT_EQ(entry.status().permissions(), fs::perms{0600}) << entry;
    ++files;
  }
  EXPECT_EQ(files, 3);  // the log and its index, too
}

TEST_F(SqliteTokenStoreTest, refuses_what_is_no_database_of_its_owners_alone) {
  std::ofstream(path) << "an order, say, and no database";
  EXPECT_THROW(SqliteTokenStore{path}, std::runtime_error);  // others may read it
  fs::permissions(path, fs::perms{0600});
  EXPECT_THROW(SqliteTokenStore{path}, std::runtime_error);
  EXPECT_THROW(SqliteTokenStore{directory / "none/tokens.db"}, std::runtime_error);
}

TEST_F(SqliteTokenStoreTest, tells_what_went_wrong_without_a_token) {
  SqliteTokenStore store(path);
  sqlite3* somebody = nullptr;
  sqlite3_open(path.c_str(), &somebody);
  sqlite3_exec(somebody, "DROP TABLE tokens", nullptr, nullptr, nullptr);
  sqlite3_close(somebody);
  const auto saved = store.save("anna", canary_token("1"));
  ASSERT_FALSE(saved);
  expect_fit_to_be_shown(saved.error());
  EXPECT_EQ(saved.error().message(), "the token database: no such table: tokens");
  EXPECT_FALSE(saved.error().get_if<TokenError>()->temporary);
}

TEST_F(SqliteTokenStoreTest, says_that_a_disk_without_room_may_pass) {
  SqliteTokenStore store(path);
  ASSERT_TRUE(store.save("anna", canary_token("1")));
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit full{0, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  const auto saved = store.save("anna", canary_token("2"));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_NE(temporary(saved), "");
  EXPECT_EQ(kept(store, "anna"), "canary-access-1");
  EXPECT_TRUE(store.save("anna", canary_token("2")));
}

TEST_F(SqliteTokenStoreTest, gives_a_database_of_an_earlier_version_what_it_lacks) {
  { const SqliteTokenStore makes_it(path); }
  sqlite3* earlier = nullptr;
  sqlite3_open(path.c_str(), &earlier);
  const int made = sqlite3_exec(earlier,
                                "ALTER TABLE tokens DROP COLUMN refused; PRAGMA user_version = 0;"
                                "INSERT INTO tokens VALUES (CAST('anna' AS BLOB), 'canary', 1, 2, 'r', 'a', 'l', 'c')",
                                nullptr, nullptr, nullptr);
  sqlite3_close(earlier);
  ASSERT_EQ(made, SQLITE_OK);
  for (int i = 0; i < 2; ++i) {
    SqliteTokenStore store(path);
    EXPECT_EQ(kept(store, "anna"), "canary");
    EXPECT_TRUE(store.save("kari", {.refresh_token = "canary", .refused = "invalid_grant"}));
    EXPECT_EQ(store.load("kari").value()->refused, "invalid_grant");
  }
}

TEST_F(SqliteTokenStoreTest, gives_the_lease_of_a_process_that_died_to_the_next) {
  SqliteTokenStore dead(path, 50ms), store(path);
  const auto of_the_dead = dead.lock("anna", {.held_for = 0ms});
  ASSERT_TRUE(of_the_dead);
  const auto next = store.lock("anna", {.deadline = Clock::now() + 10s});
  EXPECT_TRUE(next) << next.error();
}

TEST_F(SqliteTokenStoreTest, takes_no_lease_from_who_has_it_now) {
  SqliteTokenStore short_lived(path, 50ms), store(path);
  auto late = short_lived.lock("anna", {.held_for = 0ms});
  ASSERT_TRUE(late);
  const auto next = store.lock("anna", {.deadline = Clock::now() + 10s});
  ASSERT_TRUE(next);
  late = TokenStore::Lock();  // it had ended, and is somebody else's
  EXPECT_FALSE(store.lock("anna", {}));
}

TEST_F(SqliteTokenStoreTest, gives_a_lease_for_as_long_as_it_is_held_and_not_until_the_deadline_to_have_it) {
  SqliteTokenStore one(path, 0ms), another(path, 0ms);
  const auto lock = one.lock("anna", {.held_for = 300ms});
  ASSERT_TRUE(lock);
  EXPECT_FALSE(another.lock("anna", {.deadline = Clock::now() + 100ms}));
  EXPECT_TRUE(another.lock("anna", {.deadline = Clock::now() + 10s}));
  EXPECT_TRUE(one.lock("kari", {.held_for = std::chrono::milliseconds::max()}));
}

/// Both have read the same refresh token; the server knows the response to the other's refresh as the newer.
TEST_F(SqliteTokenStoreTest, keeps_nothing_of_a_holder_whose_lease_somebody_else_has_had_since) {
  SqliteTokenStore slow(path, 0ms), other(path);
  ASSERT_TRUE(other.save("anna", canary_token("1")));
  const auto ended = slow.lock("anna", {.held_for = 20ms});
  ASSERT_TRUE(ended);
  auto taken = other.lock("anna", {.deadline = Clock::now() + 10s});
  ASSERT_TRUE(taken);
  const auto expect_refused = [&] {
    EXPECT_THAT(temporary(slow.save("anna", canary_token("old"))), HasSubstr("somebody else has had it since"));
    EXPECT_THAT(temporary(slow.remove("anna")), HasSubstr("somebody else has had it since"));
  };
  expect_refused();
  ASSERT_TRUE(other.save("anna", canary_token("2")));
  expect_refused();
  taken = TokenStore::Lock();
  expect_refused();
  EXPECT_EQ(kept(other, "anna"), "canary-access-2");
  EXPECT_TRUE(slow.save("kari", canary_token("3")));
}

TEST_F(SqliteTokenStoreTest, keeps_what_the_holder_of_a_lease_saves_that_ended_but_was_nobody_elses_since) {
  SqliteTokenStore slow(path, 0ms);
  const auto ended = slow.lock("anna", {.held_for = 0ms});
  ASSERT_TRUE(ended);
  std::this_thread::sleep_for(5ms);
  EXPECT_TRUE(slow.save("anna", canary_token("1")));
  EXPECT_TRUE(slow.remove("anna"));
}

TEST_F(SqliteTokenStoreTest, keeps_nothing_of_who_has_no_lease_while_anothers_lives) {
  SqliteTokenStore holder(path), other(path);
  auto lock = holder.lock("anna", {});
  ASSERT_TRUE(lock);
  ASSERT_TRUE(holder.save("anna", canary_token("1")));
  EXPECT_THAT(temporary(other.save("anna", canary_token("2"))), HasSubstr("somebody else has the lease"));
  EXPECT_THAT(temporary(other.remove("anna")), HasSubstr("somebody else has the lease"));
  EXPECT_EQ(kept(other, "anna"), "canary-access-1");
  lock = TokenStore::Lock();
  EXPECT_TRUE(other.save("anna", canary_token("2")));
}

/// They share the store, which could not tell whose save it is.
TEST_F(SqliteTokenStoreTest, takes_no_lease_from_a_thread_of_its_own_however_slow) {
  SqliteTokenStore store(path, 0ms);
  auto slow = store.lock("anna", {.held_for = 0ms});
  ASSERT_TRUE(slow);
  EXPECT_FALSE(store.lock("anna", {.deadline = Clock::now() + 50ms}));
  slow = TokenStore::Lock();
  EXPECT_TRUE(store.lock("anna", {}));
}

TEST_F(SqliteTokenStoreTest, is_made_by_whoever_comes_first) {
  std::vector<std::jthread> all;
  all.reserve(8);
  for (int i = 0; i < 8; ++i) {
    all.emplace_back([&, account = std::to_string(i)] {
      SqliteTokenStore store(path);
      EXPECT_TRUE(store.save(account, canary_token(account)));
    });
  }
  all.clear();
  SqliteTokenStore store(path);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(kept(store, std::to_string(i)), "canary-access-" + std::to_string(i));
}

}  // namespace
}  // namespace connectid::auth
