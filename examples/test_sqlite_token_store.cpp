// The store over a database is what every store must be, and its leases end by themselves.
#include "sqlite_token_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
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

StoreKind sqlite() {
  return {"sqlite", [](const TemporaryDirectory& directory) {
            return [path = directory / "tokens.db"] { return std::make_shared<SqliteTokenStore>(path); };
          }};
}
CONNECTID_TOKEN_STORE_CONTRACT(sqlite());

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
}

TEST_F(SqliteTokenStoreTest, gives_the_lease_of_a_process_that_died_to_the_next) {
  SqliteTokenStore store(path, 50ms);
  const auto of_the_dead = store.lock("anna", {});
  ASSERT_TRUE(of_the_dead);
  const auto next = store.lock("anna", {.deadline = Clock::now() + 10s});
  EXPECT_TRUE(next) << next.error();
}

TEST_F(SqliteTokenStoreTest, takes_no_lease_from_who_has_it_now) {
  SqliteTokenStore short_lived(path, 50ms), store(path);
  auto late = short_lived.lock("anna", {});
  ASSERT_TRUE(late);
  const auto next = store.lock("anna", {.deadline = Clock::now() + 10s});
  ASSERT_TRUE(next);
  late = TokenStore::Lock();  // it had ended, and is somebody else's
  EXPECT_FALSE(store.lock("anna", {}));
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
