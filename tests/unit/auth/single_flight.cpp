// When a token is renewed, who waits for it and who does not; the renewal itself is a function of the test's.

#include "auth/single_flight.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>
#include <latch>
#include <list>
#include <semaphore>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "auth/token_endpoint.hpp"
#include "auth/token_life.hpp"
#include "support/eventually.hpp"

namespace connectid::detail {
namespace {

using namespace auth;

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Renewed = std::variant<StoredToken, NotRenewed>;

constexpr Timestamp begin_of_time{1775012407123ms};

/// Its clocks stand still unless the test moves them; its renewals are counted.
class SingleFlightTest : public testing::Test {
 protected:
  [[nodiscard]] detail::Now now() const {
    return {std::chrono::steady_clock::time_point{} + 24h + elapsed.load(),
            begin_of_time + elapsed.load() + wall_moved.load()};
  }

  SingleFlight make(milliseconds ahead = 5min) {
    const auto renew = [this](const Secret& worn_out, Timestamp, const std::stop_token& leaving) {
      ++renewals;
      last_worn_out = worn_out.reveal();
      return response(leaving);
    };
    return {renew, ahead, [this] { return now(); }, [] { return 0.0; }};
  }

  /// A token named after the renewal that brought it.
  [[nodiscard]] Renewed fresh(milliseconds life = 12h) const {
    return StoredToken{.access_token = "token-" + std::to_string(renewals.load()),
                       .obtained_at = now().wall,
                       .expires_at = now().wall + life};
  }
  [[nodiscard]] static Renewed failed(milliseconds pause = 0ms) {
    return NotRenewed{.error = token_error("the authorization server is down"), .pause = pause};
  }
  [[nodiscard]] static std::string got(const Result<AccessToken>& token) {
    return token ? token->value.reveal() : "error: " + token.error().message();
  }

  /// That the first token is given until just before this time of both clocks, and then the second.
  void expect_the_first_to_live_until(milliseconds end, SingleFlight& token) {
    elapsed = end - 1ms;
    EXPECT_EQ(got(token.get({})), "token-1");
    elapsed = end;
    EXPECT_FALSE(token.cached());
    EXPECT_EQ(got(token.get({})), "token-2");
  }

  std::atomic<milliseconds> elapsed{0ms};     ///< by both clocks
  std::atomic<milliseconds> wall_moved{0ms};  ///< the wall clock alone: it was set, or the machine slept
  std::atomic<int> renewals = 0;
  std::string last_worn_out;
  std::function<Renewed(const std::stop_token&)> response = [this](const auto&) { return fresh(); };
};

TEST_F(SingleFlightTest, the_first_call_gets_a_token_and_the_next_ones_the_same) {
  SingleFlight token = make();
  EXPECT_FALSE(token.cached());
  EXPECT_EQ(renewals, 0) << "a look starts nothing";
  EXPECT_EQ(got(token.get({})), "token-1");
  elapsed = 11h;
  EXPECT_EQ(got(token.get({})), "token-1");
  EXPECT_EQ(token.cached()->value.reveal(), "token-1");
  EXPECT_EQ(renewals, 1);
}

TEST_F(SingleFlightTest, it_is_renewed_ahead_of_its_end_and_nobody_waits_for_that) {
  SingleFlight token = make(5min);
  ASSERT_EQ(got(token.get({})), "token-1");
  std::binary_semaphore go_on(0);
  response = [&](const auto&) {
    go_on.acquire();
    return fresh();
  };
  elapsed = 12h - 30s - 5min - 1ms;
  EXPECT_EQ(got(token.get({})), "token-1");
  EXPECT_EQ(renewals, 1);
  elapsed = 12h - 30s - 5min;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(got(token.get({})), "token-1");
  ASSERT_TRUE(eventually([&] { return renewals == 2; }));
  EXPECT_EQ(got(token.get({})), "token-1");
  go_on.release();
  EXPECT_TRUE(eventually([&] { return got(token.get({})) == "token-2"; }));
  EXPECT_EQ(last_worn_out, "token-1");
  EXPECT_EQ(renewals, 2);
}

TEST_F(SingleFlightTest, without_time_ahead_it_is_renewed_once_it_has_ended) {
  SingleFlight token = make(0ms);
  ASSERT_EQ(got(token.get({})), "token-1");
  expect_the_first_to_live_until(12h - 30s, token);
}

TEST_F(SingleFlightTest, a_renewal_that_fails_while_the_old_token_lives_fails_no_call) {
  SingleFlight token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  response = [](const auto&) { return failed(); };
  elapsed = 12h - 4min;
  EXPECT_EQ(got(token.get({})), "token-1");
  ASSERT_TRUE(eventually([&] { return renewals == 2; }));
  EXPECT_EQ(got(token.get({})), "token-1");
  elapsed = 12h - 30s;
  EXPECT_EQ(got(token.get({})), "error: the authorization server is down");
}

TEST_F(SingleFlightTest, failures_are_put_off_longer_and_longer) {
  SingleFlight token = make();
  response = [](const auto&) { return failed(); };
  // random is 0 here: a half of 1, 2, 4 … and at last 60 seconds
  for (const auto pause : {500ms, 1000ms, 2000ms, 4000ms, 8000ms, 16000ms, 30000ms, 30000ms}) {
    const int before = renewals;
    EXPECT_EQ(got(token.get({})), "error: the authorization server is down");
    EXPECT_EQ(renewals, before + 1);
    elapsed = elapsed.load() + pause - 1ms;
    EXPECT_EQ(got(token.get({})), "error: the authorization server is down");
    EXPECT_EQ(renewals, before + 1) << "asked again before " << pause.count() << " ms";
    elapsed = elapsed.load() + 1ms;
  }
  response = [this](const auto&) { return fresh(); };
  EXPECT_EQ(got(token.get({})), "token-9");
}

TEST_F(SingleFlightTest, a_pause_that_was_named_is_kept) {
  SingleFlight token = make();
  response = [](const auto&) { return failed(17s); };
  EXPECT_FALSE(token.get({}));
  elapsed = 17s - 1ms;
  EXPECT_FALSE(token.get({}));
  EXPECT_EQ(renewals, 1);
  elapsed = 17s;
  EXPECT_FALSE(token.get({}));
  EXPECT_EQ(renewals, 2);
}

TEST_F(SingleFlightTest, a_pause_of_no_time_that_was_named_lets_nobody_hammer_the_authorization_server) {
  SingleFlight token = make();
  response = [](const auto&) { return failed(0s); };
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(token.get({}));
  EXPECT_EQ(renewals, 1);
}

TEST_F(SingleFlightTest, where_nobody_was_asked_the_pauses_do_not_grow) {
  SingleFlight token = make();
  response = [](const auto&) -> Renewed {
    return NotRenewed{.error = token_error("not logged in"), .pause = 1s, .backs_off = false};
  };
  for (int i = 1; i < 10; ++i) {
    EXPECT_EQ(got(token.get({})), "error: not logged in");
    EXPECT_EQ(renewals, i);
    elapsed = elapsed.load() + 1s;
  }
}

TEST_F(SingleFlightTest, a_token_that_was_refused_is_dropped_and_renewed_at_once) {
  SingleFlight token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  EXPECT_EQ(got(token.get({.refused = "token-1"})), "token-2");
  EXPECT_EQ(last_worn_out, "token-1");
  EXPECT_EQ(got(token.get({.refused = "token-1"})), "token-2") << "somebody else has renewed it";
  EXPECT_EQ(renewals, 2);
}

TEST_F(SingleFlightTest, a_refused_token_is_given_to_nobody_else) {
  SingleFlight token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  response = [](const auto&) { return failed(); };
  EXPECT_EQ(got(token.get({.refused = "token-1"})), "error: the authorization server is down");
  EXPECT_FALSE(token.cached());
  EXPECT_EQ(got(token.get({})), "error: the authorization server is down");
}

TEST_F(SingleFlightTest, a_token_refused_while_renewals_are_put_off_is_given_to_nobody_else) {
  SingleFlight token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  response = [](const auto&) { return failed(); };
  elapsed = 12h - 4min;
  ASSERT_EQ(got(token.get({})), "token-1") << "and a renewal is begun, which fails";
  ASSERT_TRUE(eventually([&] { return renewals == 2; }));
  EXPECT_EQ(got(token.get({.refused = "token-1"})), "error: the authorization server is down");
  EXPECT_FALSE(token.cached());
  EXPECT_EQ(got(token.get({})), "error: the authorization server is down");
  EXPECT_EQ(renewals, 2);
}

TEST_F(SingleFlightTest, an_api_that_refuses_every_token_does_not_have_each_renewed) {
  SingleFlight token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  std::string last = got(token.get({.refused = "token-1"}));
  for (const auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    const int before = renewals;
    elapsed = elapsed.load() + pause - 1ms;
    for (int i = 0; i < 100; ++i) EXPECT_EQ(got(token.get({.refused = last})), last);
    EXPECT_EQ(renewals, before) << "renewed before " << pause.count() << " s";
    elapsed = elapsed.load() + 1ms;
    last = got(token.get({.refused = last}));
    EXPECT_EQ(renewals, before + 1);
  }
  elapsed = elapsed.load() + 1h;
  last = got(token.get({.refused = last}));
  elapsed = elapsed.load() + 1s;
  EXPECT_NE(got(token.get({.refused = last})), last) << "that was long ago";
}

TEST_F(SingleFlightTest, a_renewal_that_brings_the_refused_token_is_followed_by_another) {
  SingleFlight token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  std::binary_semaphore go_on(0);
  response = [&](const auto&) -> Renewed {
    if (renewals != 2) return fresh();
    go_on.acquire();
    return StoredToken{.access_token = "token-1", .obtained_at = now().wall, .expires_at = now().wall + 12h};
  };
  elapsed = 12h - 30s;
  std::jthread other([&] { EXPECT_TRUE(token.get({})); });
  ASSERT_TRUE(eventually([&] { return renewals == 2; }));
  std::jthread refused([&] { EXPECT_EQ(got(token.get({.refused = "token-1"})), "token-3"); });
  go_on.release();
}

TEST_F(SingleFlightTest, one_who_waits_leaves_at_their_own_deadline_or_stop_and_the_renewal_goes_on) {
  SingleFlight token = make();
  std::binary_semaphore go_on(0);
  response = [&](const auto&) {
    go_on.acquire();
    return fresh();
  };
  const auto late = token.get({.deadline = std::chrono::steady_clock::now() + 20ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind(), ErrorKind::deadline_exceeded);
  EXPECT_EQ(late.error().get_if<DeadlineExceeded>()->stage, Stage::token);

  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(10ms);
    stop.request_stop();
  });
  const auto stopped = token.get({.stop = stop.get_token()});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind(), ErrorKind::cancelled);
  EXPECT_EQ(stopped.error().get_if<Cancelled>()->stage, Stage::token);

  go_on.release();
  EXPECT_EQ(got(token.get({})), "token-1") << "the renewal of those who left";
  EXPECT_EQ(renewals, 1);
}

// ---- clocks that part

TEST_F(SingleFlightTest, a_wall_clock_that_is_set_back_gives_a_token_no_more_time) {
  SingleFlight token = make(0ms);
  ASSERT_EQ(got(token.get({})), "token-1");
  wall_moved = -2h;
  expect_the_first_to_live_until(12h - 30s, token);
}

TEST_F(SingleFlightTest, a_wall_clock_that_stands_still_gives_a_token_no_more_time) {
  SingleFlight token = make(0ms);
  ASSERT_EQ(got(token.get({})), "token-1");
  elapsed = 12h - 30s;
  wall_moved = -elapsed.load();
  EXPECT_EQ(got(token.get({})), "token-2");
}

TEST_F(SingleFlightTest, a_token_that_outlives_the_machines_sleep_or_a_wall_clock_set_forward_is_kept) {
  SingleFlight token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  wall_moved = 1h;
  EXPECT_EQ(got(token.get({})), "token-1");
  elapsed = 10h;
  EXPECT_EQ(got(token.get({})), "token-1");
  EXPECT_EQ(renewals, 1);
}

TEST_F(SingleFlightTest, a_sleep_in_the_middle_of_a_renewal_is_taken_off_the_tokens_life) {
  SingleFlight token = make(0ms);
  response = [this](const auto&) {
    auto brought = fresh();
    wall_moved = 2h;
    return brought;
  };
  ASSERT_EQ(got(token.get({})), "token-1");
  expect_the_first_to_live_until(10h - 30s, token);
}

TEST_F(SingleFlightTest,
       a_wall_clock_set_back_in_the_middle_of_a_renewal_gives_no_more_time_than_the_authorization_server_did) {
  SingleFlight token = make(0ms);
  response = [this](const auto&) {
    auto brought = fresh();
    wall_moved = -2h;
    return brought;
  };
  ASSERT_EQ(got(token.get({})), "token-1");
  expect_the_first_to_live_until(12h - 30s, token);
}

TEST_F(SingleFlightTest, no_wall_clock_that_is_set_shortens_or_lengthens_a_pause) {
  for (const milliseconds set : {milliseconds(1h), milliseconds(-1h)}) {
    renewals = 0;
    SingleFlight token = make();
    response = [](const auto&) { return failed(17s); };
    EXPECT_FALSE(token.get({}));
    wall_moved = wall_moved.load() + set;
    elapsed = elapsed.load() + 17s - 1ms;
    EXPECT_FALSE(token.get({}));
    EXPECT_EQ(renewals, 1);
    elapsed = elapsed.load() + 1ms;
    EXPECT_FALSE(token.get({}));
    EXPECT_EQ(renewals, 2);
  }
}

TEST_F(SingleFlightTest, an_exception_in_a_renewal_jams_nothing_and_is_not_quoted) {
  SingleFlight token = make();
  response = [](const auto&) -> Renewed { throw std::runtime_error("canary-secret"); };
  const std::string first = got(token.get({}));
  EXPECT_EQ(first, "error: the renewal was broken off by an exception, of the token store or the transport");
  response = [](const auto&) -> Renewed { throw 7; };
  elapsed = 1s;
  EXPECT_FALSE(token.get({}));
  response = [this](const auto&) { return fresh(); };
  elapsed = 10s;
  EXPECT_EQ(got(token.get({})), "token-3");
}

TEST_F(SingleFlightTest, its_end_waits_for_the_renewal_and_asks_it_to_leave) {
  std::atomic<bool> ended = false;
  {
    SingleFlight token = make();
    response = [&](const std::stop_token& leaving) {
      while (!leaving.stop_requested()) std::this_thread::sleep_for(1ms);
      ended = true;
      return fresh();
    };
    EXPECT_FALSE(token.get({.deadline = std::chrono::steady_clock::now()}));
  }
  EXPECT_TRUE(ended);
}

TEST_F(SingleFlightTest, the_renewals_thread_takes_no_signals) {
  SingleFlight token = make();
  sigset_t blocked{};
  response = [&](const auto&) {
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    return fresh();
  };
  ASSERT_TRUE(token.get({}));
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE}) EXPECT_EQ(sigismember(&blocked, signal), 1);
  sigset_t here{};
  pthread_sigmask(SIG_SETMASK, nullptr, &here);
  EXPECT_EQ(sigismember(&here, SIGUSR1), 0);
}

std::size_t memory_maps() {
  std::ifstream maps("/proc/self/maps");
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(maps), {}, '\n'));
}

TEST_F(SingleFlightTest, a_renewal_that_ended_keeps_no_thread) {
  constexpr std::size_t sources = 500;
  const auto renew = [this](const Secret&, Timestamp, const std::stop_token&) {
    ++renewals;
    return fresh();
  };
  std::list<SingleFlight> tokens;
  for (std::size_t i = 0; i < sources; ++i) {
    tokens.emplace_back(
        renew, 5min, [this] { return now(); }, [] { return 0.0; });
  }
  const std::size_t before = memory_maps();
  for (SingleFlight& token : tokens) EXPECT_TRUE(token.get({}));
  EXPECT_LT(memory_maps(), before + sources / 2) << "a thread that is not joined has two: its stack and the guard page";

  elapsed = 12h - 4min;
  for (SingleFlight& token : tokens) EXPECT_TRUE(token.get({}));
  ASSERT_TRUE(eventually([&] { return renewals == 2 * sources; })) << "ahead, with nobody who waits";
  EXPECT_TRUE(eventually([&] {
    for (SingleFlight& token : tokens) EXPECT_TRUE(token.get({}));
    return memory_maps() < before + sources / 2;
  })) << "the next call that reads the token joins the thread";
  EXPECT_EQ(renewals, 2 * sources);
}

class RefreshingTokenThreads : public SingleFlightTest {};

TEST_F(RefreshingTokenThreads, sixty_four_that_meet_an_expired_token_make_one_renewal) {
  SingleFlight token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  elapsed = 13h;
  std::barrier together(64);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&] {
      together.arrive_and_wait();
      EXPECT_EQ(got(token.get({})), "token-2");
    });
  }
  threads.clear();
  EXPECT_EQ(renewals, 2);
}

TEST_F(RefreshingTokenThreads, sixty_four_whose_token_was_refused_make_one_renewal) {
  SingleFlight token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  std::barrier together(64);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&] {
      together.arrive_and_wait();
      EXPECT_EQ(got(token.get({.refused = "token-1"})), "token-2");
    });
  }
  threads.clear();
  EXPECT_EQ(renewals, 2);
}

TEST_F(RefreshingTokenThreads, readers_renewals_and_refusals_go_on_together) {
  SingleFlight token = make();
  response = [this](const auto&) { return renewals % 5 == 0 ? failed(1ms) : fresh(1s); };
  std::atomic<bool> enough = false;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      Secret last;
      while (!enough) {
        const auto result = token.get({.refused = i % 4 == 0 ? last : Secret()});
        if (result) last = result->value;
        static_cast<void>(token.cached());
      }
    });
  }
  int steps = 0;
  EXPECT_TRUE(eventually([&] {
    elapsed = elapsed.load() + 97ms;
    return ++steps >= 200 && renewals > 10;
  }));
  enough = true;
}

using Spans = std::pair<std::chrono::nanoseconds, std::chrono::nanoseconds>;

TEST(TokenLife, ends_before_the_authorization_server_says_and_is_renewed_before_that) {
  const detail::Now now{std::chrono::steady_clock::time_point{} + 1h, begin_of_time};
  const auto of = [&](milliseconds whole, milliseconds age, milliseconds ahead, double random) {
    const TokenLife life =
        life_of({.obtained_at = begin_of_time - age, .expires_at = begin_of_time - age + whole}, ahead, random, now);
    return Spans(life.renew_at - now.steady, life.ends_at - now.steady);
  };
  EXPECT_EQ(of(12h, 0ms, 5min, 0), Spans(12h - 30s - 5min, 12h - 30s));
  EXPECT_EQ(of(12h, 0ms, 5min, 1), Spans(12h - 30s - 150s, 12h - 30s));
  EXPECT_EQ(of(12h, 11h, 5min, 0), Spans(1h - 30s - 5min, 1h - 30s));
  EXPECT_EQ(of(10s, 0ms, 5min, 0), Spans(9500ms - 2s, 9500ms)) << "a short life";
  EXPECT_EQ(of(12h, -1h, 5min, 0), Spans(12h - 30s - 5min, 12h - 30s))
      << "a wall clock that was set back gives no time";
  EXPECT_LT(of(12h, 13h, 5min, 0).second, 0ns);
  const auto of_times = [&](Timestamp obtained_at, Timestamp expires_at) {
    return life_of({.obtained_at = obtained_at, .expires_at = expires_at}, 5min, 0, now).ends_at - now.steady;
  };
  EXPECT_EQ(of_times(Timestamp::min(), Timestamp::max()), 366 * 24h - 30s) << "no clock overflows";
  EXPECT_LT(of_times(Timestamp::max(), Timestamp::min()), 0ns);
  EXPECT_EQ(of(12h, 0ms, 0ms, 0).first, std::chrono::steady_clock::time_point::max() - now.steady);
}

}  // namespace
}  // namespace connectid::detail
