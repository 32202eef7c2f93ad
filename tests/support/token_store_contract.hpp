// What every token store promises, include/connectid/auth/token_store.hpp. A test program of a store instantiates it.
#pragma once

#include <connectid/auth/token_store.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/canary_token.hpp"
#include "support/temporary_directory.hpp"

namespace connectid::auth {

/// One kind of store.
struct StoreKind {
  const char* name;
  /// How the store is opened that keeps its data in this directory; each call is what another process would have, where
  /// the kind is one that processes share.
  std::function<std::function<std::shared_ptr<TokenStore>()>(const TemporaryDirectory&)> opener;
  friend std::ostream& operator<<(std::ostream& out, const StoreKind& kind) { return out << kind.name; }
};

/// Names that are as good as any.
inline std::vector<std::string> odd_names() {
  using namespace std::string_literals;
  return {"",
          " ",
          "anna",
          "Anna",
          "anna ",
          "a/b",
          "../x",
          "..",
          "blåbærsyltetøy 🫐",
          "anna\0"s,
          "anna\n",
          "%61nna",
          "' OR 1=1 --",
          std::string(1000, 'a'),
          std::string(100'000, 'a')};
}

class TokenStoreContract : public ::testing::TestWithParam<StoreKind> {
 protected:
  using Clock = std::chrono::steady_clock;

  const TemporaryDirectory directory;
  const std::function<std::shared_ptr<TokenStore>()> open = GetParam().opener(directory);
  const std::shared_ptr<TokenStore> store = open();

  TokenStore::Lock locked(const std::string& account) const {
    auto lock = store->lock(account, {.deadline = Clock::now() + 10s});
    EXPECT_TRUE(lock) << lock.error();
    return lock ? *lock : nullptr;
  }
  /// Null, or the kind of the error.
  static std::optional<ErrorKind> try_lock(TokenStore& at, const std::string& account, std::chrono::milliseconds wait,
                                           const std::stop_token& stop = {}) {
    const auto lock = at.lock(account, {.deadline = Clock::now() + wait, .stop = stop});
    if (lock) return std::nullopt;
    expect_fit_to_be_shown(lock.error());
    return lock.error().kind();
  }
};
using TokenStoreContractThreads = TokenStoreContract;

TEST_P(TokenStoreContract, knows_of_nothing_before_it_is_saved) { EXPECT_EQ(kept(*store, "anna"), "none"); }

TEST_P(TokenStoreContract, gives_back_all_that_was_saved) {
  const StoredToken tokens[] = {canary_token("1"),
                                {.access_token = "canary", .expires_at = Timestamp{1ms}},
                                {.refresh_token = "canary \" \\ \n \x7f æ"},
                                {.refresh_token = "canary", .refused = "invalid_grant"},
                                {}};
  for (const StoredToken& token : tokens) {
    ASSERT_TRUE(store->save("anna", token));
    const auto loaded = store->load("anna");
    ASSERT_TRUE(loaded && *loaded);
    EXPECT_TRUE(equal(**loaded, token));
  }
}

TEST_P(TokenStoreContract, gives_what_was_saved_last_to_whoever_opens_it) {
  ASSERT_TRUE(store->save("anna", canary_token("1")));
  const auto another = open();
  EXPECT_EQ(kept(*another, "anna"), "canary-access-1");
  ASSERT_TRUE(another->save("anna", canary_token("2")));
  EXPECT_EQ(kept(*store, "anna"), "canary-access-2");
  EXPECT_EQ(kept(*open(), "anna"), "canary-access-2");
}

TEST_P(TokenStoreContract, keeps_accounts_apart_whatever_their_names) {
  const std::vector<std::string> names = odd_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto saved = store->save(names[i], canary_token(std::to_string(i)));
    ASSERT_TRUE(saved) << saved.error();
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(kept(*store, names[i]), "canary-access-" + std::to_string(i)) << names[i].substr(0, 20);
  }
}

TEST_P(TokenStoreContract, forgets_an_account_that_is_removed) {
  ASSERT_TRUE(store->save("anna", canary_token("1")));
  ASSERT_TRUE(store->save("kari", canary_token("2")));
  EXPECT_TRUE(open()->remove("anna"));
  EXPECT_TRUE(store->remove("anna"));
  EXPECT_TRUE(store->remove("never there"));
  EXPECT_EQ(kept(*store, "anna"), "none");
  EXPECT_EQ(kept(*store, "never there"), "none");
  EXPECT_EQ(kept(*store, "kari"), "canary-access-2");
  EXPECT_TRUE(store->save("anna", canary_token("3")));
  EXPECT_EQ(kept(*store, "anna"), "canary-access-3");
}

TEST_P(TokenStoreContract, removes_accounts_whatever_their_names) {
  for (const std::string& name : odd_names()) ASSERT_TRUE(store->save(name, canary_token("1")));
  for (const std::string& name : odd_names()) {
    EXPECT_TRUE(store->remove(name));
    EXPECT_EQ(kept(*store, name), "none") << name.substr(0, 20);
  }
}

TEST_P(TokenStoreContract, loads_and_saves_what_is_locked) {
  const auto lock = locked("anna");
  EXPECT_TRUE(store->save("anna", canary_token("1")));
  EXPECT_EQ(kept(*open(), "anna"), "canary-access-1");
}

TEST_P(TokenStoreContract, gives_a_lock_to_one_at_a_time) {
  auto lock = locked("anna");
  const auto another = open();
  EXPECT_EQ(try_lock(*store, "anna", 5ms), ErrorKind::deadline_exceeded);
  EXPECT_EQ(try_lock(*another, "anna", 5ms), ErrorKind::deadline_exceeded);
  const TokenStore::Lock copy = std::exchange(lock, nullptr);
  EXPECT_EQ(try_lock(*another, "anna", 5ms), ErrorKind::deadline_exceeded);
}

TEST_P(TokenStoreContract, gives_a_lock_again_once_it_was_let_go) {
  const auto another = open();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(try_lock(*store, "anna", 1s), std::nullopt);
    EXPECT_EQ(try_lock(*another, "anna", 1s), std::nullopt);
  }
}

TEST_P(TokenStoreContract, locks_each_account_for_itself) {
  std::vector<TokenStore::Lock> locks;
  for (const std::string& name : odd_names()) {
    auto lock = store->lock(name, {});
    ASSERT_TRUE(lock) << lock.error();
    locks.push_back(*std::move(lock));
  }
  for (const std::string& name : odd_names()) {
    EXPECT_EQ(try_lock(*store, name, 0ms), ErrorKind::deadline_exceeded) << name.substr(0, 20);
  }
}

TEST_P(TokenStoreContract, gives_a_lock_that_nobody_holds_when_the_time_is_up_already) {
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_EQ(try_lock(*store, "anna", -1h), std::nullopt);
  EXPECT_EQ(try_lock(*store, "anna", 1s, stopped.get_token()), std::nullopt);
}

TEST_P(TokenStoreContract, waits_for_a_lock_until_the_deadline) {
  const auto lock = locked("anna");
  const auto deadline = Clock::now() + 60ms;
  const auto again = store->lock("anna", {.deadline = deadline});
  ASSERT_FALSE(again);
  EXPECT_GE(Clock::now(), deadline);
  expect_fit_to_be_shown(again.error());
  EXPECT_EQ(again.error().get_if<DeadlineExceeded>()->stage, Stage::token);
}

TEST_P(TokenStoreContract, waits_for_no_lock_once_it_was_told_to_stop) {
  const auto lock = locked("anna");
  std::stop_source stopped;
  stopped.request_stop();
  const auto again = store->lock("anna", {.deadline = Clock::time_point::max(), .stop = stopped.get_token()});
  ASSERT_FALSE(again);
  expect_fit_to_be_shown(again.error());
  EXPECT_EQ(again.error().get_if<Cancelled>()->stage, Stage::token);
}

TEST_P(TokenStoreContract, lets_a_lock_outlive_it) {
  auto short_lived = GetParam().opener(directory)();
  auto lock = short_lived->lock("anna", {.deadline = Clock::now() + 10s});
  ASSERT_TRUE(lock);
  short_lived.reset();
  lock = TokenStore::Lock();
}

TEST_P(TokenStoreContractThreads, stop_waiting_for_a_lock_when_they_are_told_to) {
  const auto lock = locked("anna");
  std::stop_source stop;
  std::jthread stopping([&] {
    std::this_thread::sleep_for(30ms);
    stop.request_stop();
  });
  EXPECT_EQ(try_lock(*open(), "anna", 1h, stop.get_token()), ErrorKind::cancelled);
}

TEST_P(TokenStoreContractThreads, have_a_lock_soon_after_it_was_let_go) {
  auto lock = locked("anna");
  std::jthread letting_go([&] {
    std::this_thread::sleep_for(30ms);
    lock.reset();
  });
  EXPECT_EQ(try_lock(*open(), "anna", 1h), std::nullopt);
}

/// Each reads, adds one and saves: without a lock some would add to what others had read, too.
TEST_P(TokenStoreContractThreads, lose_nothing_of_what_they_do_with_the_lock_held) {
  constexpr int threads = 4, times = 25;
  ASSERT_TRUE(store->save("anna", {.access_token = "0"}));
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i) {
      all.emplace_back([&] {
        const auto own = open();
        for (int k = 0; k < times; ++k) {
          const auto lock = own->lock("anna", {.deadline = Clock::now() + 50s});
          ASSERT_TRUE(lock) << lock.error();
          const int count = std::stoi(kept(*own, "anna"));
          ASSERT_TRUE(own->save("anna", {.access_token = std::to_string(count + 1)}));
        }
      });
    }
  }
  EXPECT_EQ(kept(*store, "anna"), std::to_string(threads * times));
}

TEST_P(TokenStoreContractThreads, use_accounts_of_their_own_side_by_side) {
  constexpr int threads = 4, times = 25;
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i) {
      all.emplace_back([&, own = std::to_string(i)] {
        for (int k = 0; k < times; ++k) {
          const auto lock = store->lock(own, {.deadline = Clock::now() + 50s});
          ASSERT_TRUE(lock) << lock.error();
          ASSERT_TRUE(store->save(own, canary_token(own + "." + std::to_string(k))));
          ASSERT_EQ(kept(*store, own), "canary-access-" + own + "." + std::to_string(k));
        }
      });
    }
  }
  for (int i = 0; i < threads; ++i) {
    EXPECT_EQ(kept(*store, std::to_string(i)), "canary-access-" + std::to_string(i) + ".24");
  }
}

inline std::string name_of_kind(const ::testing::TestParamInfo<StoreKind>& info) { return info.param.name; }

}  // namespace connectid::auth

/// In namespace connectid::auth.
#define CONNECTID_TOKEN_STORE_CONTRACT(...)                                                           \
  INSTANTIATE_TEST_SUITE_P(Stores, TokenStoreContract, ::testing::Values(__VA_ARGS__), name_of_kind); \
  INSTANTIATE_TEST_SUITE_P(Stores, TokenStoreContractThreads, ::testing::Values(__VA_ARGS__), name_of_kind)
