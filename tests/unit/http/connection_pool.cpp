// Who gets which idle connection, by a clock that the tests turn. The connections are real ones.
#include "http/connection_pool.hpp"

#include <gtest/gtest.h>
#include <time.h>

#include <chrono>

#include "support/eventually.hpp"
#include "support/loopback_server.hpp"

namespace connectid::detail {
namespace {

using namespace http;

using namespace std::chrono_literals;
using Peer = LoopbackServer::Peer;

constexpr BootClock::time_point noon{1'000'000s};

void keep_open(Peer& peer) { static_cast<void>(peer.hear()); }

class Pool : public ::testing::Test {
 protected:
  /// Gives the pool a new connection that is good for so long from noon on; by its address it is known again.
  const Connection* give(ConnectionPool& pool, BootClock::duration good_for, const LoopbackServer& server) {
    const Limits limits{.deadline = std::chrono::steady_clock::now() + 30s};
    auto opened = Connection::open(parse_url(server.url()), options_, tls_, limits);
    if (const auto* failure = std::get_if<Failure>(&opened)) {
      ADD_FAILURE() << failure->text;
      return nullptr;
    }
    auto connection = std::get<std::unique_ptr<Connection>>(std::move(opened));
    const Connection* known = connection.get();
    pool.give({.connection = std::move(connection), .since = noon, .until = noon + good_for});
    return known;
  }
  const Connection* give(ConnectionPool& pool, BootClock::duration good_for) { return give(pool, good_for, here); }

  [[nodiscard]] std::size_t open_to(const LoopbackServer& server) const { return descriptors_to(server.port()).size(); }

  LoopbackServer here{{}, keep_open};
  LoopbackServer there{{}, keep_open};

 private:
  CurlOptions options_;
  SharedTls tls_{options_};
};

TEST_F(Pool, that_is_empty_gives_none) {
  ConnectionPool pool(4);
  EXPECT_FALSE(pool.take(here.url(), noon));
}

TEST_F(Pool, gives_the_newest_first_and_each_once) {
  ConnectionPool pool(4);
  const auto* oldest = give(pool, 2s);
  const auto* middle = give(pool, 2s);
  const auto* newest = give(pool, 2s);
  const auto a = pool.take(here.url(), noon + 1s);
  const auto b = pool.take(here.url(), noon + 1s);
  const auto c = pool.take(here.url(), noon + 1s);
  EXPECT_EQ(a.connection.get(), newest);
  EXPECT_EQ(b.connection.get(), middle);
  EXPECT_EQ(c.connection.get(), oldest);
  EXPECT_EQ(a.since, noon);
  EXPECT_FALSE(pool.take(here.url(), noon + 1s));
}

TEST_F(Pool, gives_what_came_back_last_before_what_was_given_later_than_its_opening) {
  ConnectionPool pool(4);
  const auto* first = give(pool, 2s);
  auto taken = pool.take(here.url(), noon);
  ASSERT_EQ(taken.connection.get(), first);
  const auto* second = give(pool, 2s);
  pool.give(std::move(taken));
  EXPECT_EQ(pool.take(here.url(), noon).connection.get(), first);
  EXPECT_EQ(pool.take(here.url(), noon).connection.get(), second);
}

TEST_F(Pool, gives_only_what_leads_to_the_origin) {
  ConnectionPool pool(4);
  const auto* to_here = give(pool, 2s, here);
  const auto* to_there = give(pool, 2s, there);
  EXPECT_FALSE(pool.take("http://127.0.0.1", noon));
  EXPECT_FALSE(pool.take(here.url() + "0", noon));
  EXPECT_FALSE(pool.take("https" + here.url().substr(4), noon)) << "the same port, but not over TLS";
  EXPECT_EQ(pool.take(here.url(), noon).connection.get(), to_here);
  EXPECT_FALSE(pool.take(here.url(), noon));
  EXPECT_EQ(pool.take(there.url(), noon).connection.get(), to_there);
}

TEST_F(Pool, gives_none_that_is_too_old_to_the_nanosecond_and_closes_it) {
  ConnectionPool pool(4);
  give(pool, 2s);
  const auto* good_for_longer = give(pool, 2s + 1ns);
  ASSERT_EQ(open_to(here), 2U);
  {
    const auto taken = pool.take(here.url(), noon + 2s);
    EXPECT_EQ(taken.connection.get(), good_for_longer);
    EXPECT_EQ(open_to(here), 1U) << "the other one is not closed";
    EXPECT_FALSE(pool.take(here.url(), noon + 2s));
  }
  EXPECT_EQ(open_to(here), 0U);
}

TEST_F(Pool, passes_a_newer_one_over_that_its_server_closes_sooner) {
  ConnectionPool pool(4);
  const auto* older = give(pool, 2s);
  give(pool, 500ms);
  EXPECT_EQ(pool.take(here.url(), noon + 1s).connection.get(), older);
}

TEST_F(Pool, closes_what_is_too_old_whatever_is_asked_for) {
  ConnectionPool pool(4);
  give(pool, 1s, there);
  ASSERT_EQ(open_to(there), 1U);
  EXPECT_FALSE(pool.take(here.url(), noon + 1s));
  EXPECT_EQ(open_to(there), 0U);
}

TEST_F(Pool, does_not_trust_a_connection_from_before_the_machine_slept) {
  ConnectionPool pool(4);
  give(pool, 2s);
  EXPECT_FALSE(pool.take(here.url(), noon + 8h));
  EXPECT_EQ(open_to(here), 0U);
}

TEST_F(Pool, keeps_so_many_and_closes_the_oldest) {
  ConnectionPool pool(2);
  give(pool, 2s);
  const auto* second = give(pool, 2s);
  const auto* third = give(pool, 2s);
  EXPECT_EQ(open_to(here), 2U);
  EXPECT_EQ(pool.take(here.url(), noon).connection.get(), third);
  EXPECT_EQ(pool.take(here.url(), noon).connection.get(), second);
  EXPECT_FALSE(pool.take(here.url(), noon));
}

TEST_F(Pool, of_none_keeps_none) {
  ConnectionPool pool(0);
  give(pool, 2s);
  EXPECT_EQ(open_to(here), 0U);
  EXPECT_FALSE(pool.take(here.url(), noon));
}

TEST_F(Pool, that_is_destroyed_closes_what_it_has) {
  {
    ConnectionPool pool(4);
    give(pool, 2s);
    give(pool, 2s, there);
  }
  EXPECT_EQ(open_to(here) + open_to(there), 0U);
}

using PoolThreads = Pool;
TEST_F(PoolThreads, lose_and_double_none) {
  ConnectionPool pool(8);
  for (int i = 0; i < 4; ++i) give(pool, 2s);
  std::mutex mutex;
  std::set<const Connection*> in_use;
  std::atomic<int> uses = 0;
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < 4; ++t) {
      crowd.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          auto taken = pool.take(here.url(), noon);  // four threads, four connections: there is one
          ASSERT_TRUE(taken);
          {
            const std::lock_guard lock(mutex);
            ASSERT_TRUE(in_use.insert(taken.connection.get()).second);
          }
          ++uses;
          {
            const std::lock_guard lock(mutex);
            in_use.erase(taken.connection.get());
          }
          pool.give(std::move(taken));
        }
      });
    }
  }
  EXPECT_EQ(uses, 4000);
  EXPECT_EQ(open_to(here), 4U);
}

BootClock::time_point kernels_boot_time() {
  timespec time{};
  EXPECT_EQ(::clock_gettime(CLOCK_BOOTTIME, &time), 0);
  return BootClock::time_point(std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec});
}

TEST(BootClockTime, is_the_kernels_which_goes_on_while_the_machine_sleeps) {
  for (int i = 0; i < 1000; ++i) {
    const auto before = kernels_boot_time();
    const auto now = BootClock::now();
    EXPECT_LE(before, now);
    EXPECT_LE(now, kernels_boot_time());
  }
}

}  // namespace
}  // namespace connectid::detail
