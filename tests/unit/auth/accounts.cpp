// When a token is renewed, who waits for it and who does not; the renewal itself is a function of the test's.

#include "auth/accounts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <malloc.h>

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
class AccountTest : public testing::Test {
 protected:
  [[nodiscard]] detail::Now now() const {
    return {std::chrono::steady_clock::time_point{} + 24h + elapsed.load(),
            begin_of_time + elapsed.load() + wall_moved.load()};
  }

  /// One account, and what renews it.
  struct Token {
    std::shared_ptr<Renewals> renewals;
    TokenSource source;

    explicit Token(std::shared_ptr<Renewals> with)
        : renewals(std::move(with)), source(std::make_shared<Account>("anna", renewals)) {}
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
    ~Token() { renewals->workers.end(); }
    [[nodiscard]] Result<AccessToken> get(const TokenRequest& request) const { return source(request); }
    [[nodiscard]] std::optional<AccessToken> cached() const { return source.cached(); }
  };
  using Renew = std::function<Renewed(Standing& standing, const std::stop_token& leaving)>;
  /// What a renewal brings is a function of the test's.
  class Scripted final : public Renewer {
   public:
    explicit Scripted(AccountTest& test) : test_(test) {}
    Result<void> check(const std::string&, std::string_view) const override { return {}; }
    Renewed renew(const std::string&, Standing& standing, const Secret& worn_out, Timestamp,
                  const std::stop_token& leaving) override {
      ++test_.renewals;
      {
        const std::lock_guard lock(test_.mutex);
        test_.last_worn_out = worn_out.reveal();
      }
      return test_.renew_with ? test_.renew_with(standing, leaving) : test_.response(leaving);
    }
    std::optional<Error> save_at_the_end(const std::string&, Standing&) override { return std::nullopt; }

   private:
    AccountTest& test_;
  };
  std::shared_ptr<Renewals> with(milliseconds ahead = 5min, int workers = 1) {
    auto made =
        std::make_shared<Renewals>(std::make_unique<Scripted>(*this),
                                   AccountsOptions{.workers = workers, .renewal = {.ahead = ahead}, .on_event = told});
    made->clock = [this] { return now(); };
    made->random = [] { return 0.0; };
    return made;
  }
  Token make(milliseconds ahead = 5min) { return Token(with(ahead)); }

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

  /// How many renewals were told of.
  [[nodiscard]] std::size_t ended() {
    const std::lock_guard lock(mutex);
    return events.size();
  }

  /// That the first token is given until just before this time of both clocks, and then the second.
  void expect_the_first_to_live_until(milliseconds end, Token& token) {
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
  Renew renew_with;  ///< in place of `response`
  std::vector<TokenEvent> events;
  TokenEventHandler told = [this](const TokenEvent& event) {
    const std::lock_guard lock(mutex);
    events.push_back(event);
  };
  std::mutex mutex;  ///< there may be several workers
  std::function<Renewed(const std::stop_token&)> response = [this](const auto&) { return fresh(); };
};

TEST_F(AccountTest, the_first_call_gets_a_token_and_the_next_ones_the_same) {
  Token token = make();
  EXPECT_FALSE(token.cached());
  EXPECT_EQ(renewals, 0) << "a look starts nothing";
  EXPECT_EQ(got(token.get({})), "token-1");
  elapsed = 11h;
  EXPECT_EQ(got(token.get({})), "token-1");
  EXPECT_EQ(token.cached()->value.reveal(), "token-1");
  EXPECT_EQ(renewals, 1);
}

TEST_F(AccountTest, it_is_renewed_ahead_of_its_end_and_nobody_waits_for_that) {
  Token token = make(5min);
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

TEST_F(AccountTest, without_time_ahead_it_is_renewed_once_it_has_ended) {
  Token token = make(0ms);
  ASSERT_EQ(got(token.get({})), "token-1");
  expect_the_first_to_live_until(12h - 30s, token);
}

TEST_F(AccountTest, a_renewal_that_fails_while_the_old_token_lives_fails_no_call) {
  Token token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  response = [](const auto&) { return failed(); };
  elapsed = 12h - 4min;
  EXPECT_EQ(got(token.get({})), "token-1");
  ASSERT_TRUE(eventually([&] { return renewals == 2; }));
  EXPECT_EQ(got(token.get({})), "token-1");
  elapsed = 12h - 30s;
  EXPECT_EQ(got(token.get({})), "error: the authorization server is down");
}

TEST_F(AccountTest, failures_are_put_off_longer_and_longer) {
  Token token = make();
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

TEST_F(AccountTest, a_pause_that_was_named_is_kept) {
  Token token = make();
  response = [](const auto&) { return failed(17s); };
  EXPECT_FALSE(token.get({}));
  elapsed = 17s - 1ms;
  EXPECT_FALSE(token.get({}));
  EXPECT_EQ(renewals, 1);
  elapsed = 17s;
  EXPECT_FALSE(token.get({}));
  EXPECT_EQ(renewals, 2);
}

TEST_F(AccountTest, a_pause_of_no_time_that_was_named_lets_nobody_hammer_the_authorization_server) {
  Token token = make();
  response = [](const auto&) { return failed(0s); };
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(token.get({}));
  EXPECT_EQ(renewals, 1);
}

TEST_F(AccountTest, where_nobody_was_asked_the_pauses_do_not_grow) {
  Token token = make();
  response = [](const auto&) -> Renewed {
    return NotRenewed{.error = token_error("not logged in"), .pause = 1s, .backs_off = false};
  };
  for (int i = 1; i < 10; ++i) {
    EXPECT_EQ(got(token.get({})), "error: not logged in");
    EXPECT_EQ(renewals, i);
    elapsed = elapsed.load() + 1s;
  }
}

TEST_F(AccountTest, a_token_that_was_refused_is_dropped_and_renewed_at_once) {
  Token token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  EXPECT_EQ(got(token.get({.refused = "token-1"})), "token-2");
  EXPECT_EQ(last_worn_out, "token-1");
  EXPECT_EQ(got(token.get({.refused = "token-1"})), "token-2") << "somebody else has renewed it";
  elapsed = 1h;
  EXPECT_EQ(got(token.get({.refused = "token-1"})), "token-2") << "long ago";
  EXPECT_EQ(renewals, 2);
}

TEST_F(AccountTest, a_refused_token_is_given_to_nobody_else) {
  Token token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  response = [](const auto&) { return failed(); };
  EXPECT_EQ(got(token.get({.refused = "token-1"})), "error: the authorization server is down");
  EXPECT_FALSE(token.cached());
  EXPECT_EQ(got(token.get({})), "error: the authorization server is down");
}

TEST_F(AccountTest, a_token_refused_while_renewals_are_put_off_is_given_to_nobody_else) {
  Token token = make();
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

TEST_F(AccountTest, an_api_that_refuses_every_token_does_not_have_each_renewed) {
  Token token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  std::string last = got(token.get({.refused = "token-1"}));
  for (const auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    const int before = renewals;
    elapsed = elapsed.load() + pause - 1ms;
    for (int i = 0; i < 100; ++i) {
      const auto again = token.get({.refused = last});
      EXPECT_THAT(got(again), testing::StartsWith("error: the API refused an access token that was renewed just now; "
                                                  "renewal put off until "));
      EXPECT_TRUE(again.error().get_if<TokenError>()->temporary) << "no log-in would help";
    }
    EXPECT_EQ(got(token.get({})), last) << "others may have better luck with it";
    EXPECT_EQ(renewals, before) << "renewed before " << pause.count() << " s";
    elapsed = elapsed.load() + 1ms;
    last = got(token.get({.refused = last}));
    EXPECT_EQ(renewals, before + 1);
  }
  elapsed = elapsed.load() + 1h;
  last = got(token.get({.refused = last}));
  elapsed = elapsed.load() + 1s;
  const int before = renewals;
  EXPECT_TRUE(token.get({.refused = last})) << "that was long ago";
  EXPECT_EQ(renewals, before + 1);
}

TEST_F(AccountTest, a_renewal_that_brings_the_refused_token_is_followed_by_another) {
  Token token = make();
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
  std::string refused;
  EXPECT_FALSE(token.source.get({.refused = "token-1"}, [&](const auto& brought) { refused = got(brought); }));
  go_on.release();
  EXPECT_TRUE(eventually([&] { return renewals == 3; }));
  token.renewals->workers.end();
  EXPECT_EQ(refused, "token-3");
}

TEST_F(AccountTest, one_who_waits_leaves_at_their_own_deadline_or_stop_and_the_renewal_goes_on) {
  Token token = make();
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

TEST_F(AccountTest, a_wall_clock_that_is_set_back_gives_a_token_no_more_time) {
  Token token = make(0ms);
  ASSERT_EQ(got(token.get({})), "token-1");
  wall_moved = -2h;
  expect_the_first_to_live_until(12h - 30s, token);
}

TEST_F(AccountTest, a_wall_clock_that_stands_still_gives_a_token_no_more_time) {
  Token token = make(0ms);
  ASSERT_EQ(got(token.get({})), "token-1");
  elapsed = 12h - 30s;
  wall_moved = -elapsed.load();
  EXPECT_EQ(got(token.get({})), "token-2");
}

TEST_F(AccountTest, a_token_that_outlives_the_machines_sleep_or_a_wall_clock_set_forward_is_kept) {
  Token token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  wall_moved = 1h;
  EXPECT_EQ(got(token.get({})), "token-1");
  elapsed = 10h;
  EXPECT_EQ(got(token.get({})), "token-1");
  EXPECT_EQ(renewals, 1);
}

TEST_F(AccountTest, a_sleep_in_the_middle_of_a_renewal_is_taken_off_the_tokens_life) {
  Token token = make(0ms);
  response = [this](const auto&) {
    auto brought = fresh();
    wall_moved = 2h;
    return brought;
  };
  ASSERT_EQ(got(token.get({})), "token-1");
  expect_the_first_to_live_until(10h - 30s, token);
}

TEST_F(AccountTest,
       a_wall_clock_set_back_in_the_middle_of_a_renewal_gives_no_more_time_than_the_authorization_server_did) {
  Token token = make(0ms);
  response = [this](const auto&) {
    auto brought = fresh();
    wall_moved = -2h;
    return brought;
  };
  ASSERT_EQ(got(token.get({})), "token-1");
  expect_the_first_to_live_until(12h - 30s, token);
}

TEST_F(AccountTest, no_wall_clock_that_is_set_shortens_or_lengthens_a_pause) {
  for (const milliseconds set : {milliseconds(1h), milliseconds(-1h)}) {
    renewals = 0;
    Token token = make();
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

TEST_F(AccountTest, an_exception_in_a_renewal_jams_nothing_and_is_not_quoted) {
  Token token = make();
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

TEST_F(AccountTest, its_end_waits_for_the_renewal_and_asks_it_to_leave) {
  std::atomic<bool> ended = false;
  {
    Token token = make();
    response = [&](const std::stop_token& leaving) {
      while (!leaving.stop_requested()) std::this_thread::sleep_for(1ms);
      ended = true;
      return fresh();
    };
    EXPECT_FALSE(token.get({.deadline = std::chrono::steady_clock::now()}));
    ASSERT_TRUE(eventually([&] { return renewals == 1; }));
  }
  EXPECT_TRUE(ended);
}

TEST_F(AccountTest, the_renewals_thread_takes_no_signals) {
  Token token = make();
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

// ---- clocks that part: more

TEST_F(AccountTest, a_machine_that_slept_past_the_tokens_end_hands_out_no_dead_token) {
  Token token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  wall_moved = 13h;  // the steady clock stood still
  EXPECT_FALSE(token.cached());
  EXPECT_EQ(got(token.get({})), "token-2");
  EXPECT_EQ(renewals, 2);
}

TEST_F(AccountTest, a_machine_that_slept_until_shortly_before_the_end_renews_ahead) {
  Token token = make(5min);
  ASSERT_EQ(got(token.get({})), "token-1");
  wall_moved = 12h - 4min;
  EXPECT_EQ(got(token.get({})), "token-1");
  EXPECT_TRUE(eventually([&] { return got(token.get({})) == "token-2"; }));
}

TEST_F(AccountTest, a_wall_clock_set_forward_and_back_costs_one_renewal) {
  for (const milliseconds there : {milliseconds(13h), milliseconds(-13h), milliseconds(24h * 400)}) {
    renewals = 0;
    wall_moved = 0ms;
    Token token = make(0ms);
    ASSERT_EQ(got(token.get({})), "token-1");
    wall_moved = there;
    const std::string then = there > 0ms ? "token-2" : "token-1";
    for (int i = 0; i < 3; ++i) EXPECT_EQ(got(token.get({})), then);
    wall_moved = 0ms;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(got(token.get({})), then);
    EXPECT_LE(renewals, 2);
  }
}

// ---- tokens of a second or less

TEST_F(AccountTest, a_token_that_is_given_no_time_is_used_for_a_second) {
  Token token = make();
  response = [this](const auto&) { return fresh(0s); };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(got(token.get({})), "token-1");
  elapsed = 1s - 1ms;
  EXPECT_EQ(got(token.get({})), "token-1");
  elapsed = 1s;
  EXPECT_EQ(got(token.get({})), "token-2");
}

TEST_F(AccountTest, a_token_that_ended_while_it_was_fetched_is_handed_to_nobody) {
  Token token = make();
  response = [this](const auto&) {
    auto brought = fresh();
    if (renewals == 1) wall_moved = 13h;  // the machine slept
    return brought;
  };
  EXPECT_EQ(got(token.get({})), "token-2");
  response = [this](const auto&) {
    auto brought = fresh();
    wall_moved = wall_moved.load() + 13h;
    return brought;
  };
  EXPECT_EQ(got(token.get({.refused = "token-2"})), "error: the token that a renewal brought had ended when it came");
  EXPECT_EQ(renewals, 4);
}

TEST_F(AccountTest, a_refusal_that_is_told_without_a_wait_drops_the_token_and_counts_as_one) {
  Token token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  EXPECT_FALSE(token.source.get({.refused = "token-1"}, nullptr));
  EXPECT_FALSE(token.cached());
  EXPECT_EQ(renewals, 1);
  EXPECT_EQ(got(token.get({})), "token-2");
  EXPECT_TRUE(token.source.get({.refused = "token-2"}, nullptr)) << "too soon for another renewal";
  EXPECT_EQ(got(token.get({})), "token-2");
  EXPECT_EQ(renewals, 2);
}

TEST_F(AccountTest, a_token_that_ended_is_renewed_even_soon_after_a_refusal) {
  Token token = make(0ms);
  response = [this](const auto&) { return fresh(4s); };
  std::string last = got(token.get({}));
  for (const auto pause : {0s, 1s, 2s}) {  // the next pause is of 4 s, and the token is used for 2.5
    elapsed = elapsed.load() + pause;
    last = got(token.get({.refused = last}));
  }
  EXPECT_EQ(renewals, 4);
  elapsed = elapsed.load() + 2500ms;
  EXPECT_EQ(got(token.get({.refused = last})), "token-5");
}

TEST_F(AccountTest, an_early_renewal_that_fails_is_put_off_whatever_the_wall_clock_says) {
  Token token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  response = [](const auto&) { return failed(17s); };
  elapsed = 12h - 4min;
  EXPECT_EQ(got(token.get({})), "token-1");
  ASSERT_TRUE(eventually([&] { return ended() == 2; }));
  elapsed = elapsed.load() + 17s - 1ms;
  wall_moved = 1min;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(got(token.get({})), "token-1");
  EXPECT_EQ(renewals, 2);
  elapsed = elapsed.load() + 1ms;
  EXPECT_EQ(got(token.get({})), "token-1");
  EXPECT_TRUE(eventually([&] { return renewals == 3; }));
}

TEST_F(AccountTest, after_a_success_the_pauses_begin_anew) {
  Token token = make();
  for (int round = 0; round < 2; ++round) {
    response = [](const auto&) { return failed(); };
    for (const auto pause : {500ms, 1000ms}) {
      const int before = renewals;
      EXPECT_FALSE(token.get({}));
      EXPECT_EQ(renewals, before + 1);
      elapsed = elapsed.load() + pause - 1ms;
      EXPECT_FALSE(token.get({}));
      EXPECT_EQ(renewals, before + 1) << round;
      elapsed = elapsed.load() + 1ms;
    }
    response = [this](const auto&) { return fresh(1s); };
    EXPECT_TRUE(token.get({}));
    elapsed = elapsed.load() + 1s;
  }
}

TEST_F(AccountTest, a_refused_token_that_it_does_not_know_is_the_one_that_is_worn_out) {
  Token token = make();
  EXPECT_EQ(got(token.get({.refused = "kept by the store"})), "token-1");
  EXPECT_EQ(last_worn_out, "kept by the store");
}

// ---- without a thread that waits

TEST_F(AccountTest, a_token_that_is_there_is_returned_and_nobody_is_called) {
  Token token = make();
  ASSERT_EQ(got(token.get({})), "token-1");
  const auto there = token.source.get({}, [](const auto&) { ADD_FAILURE() << "called"; });
  ASSERT_TRUE(there);
  EXPECT_EQ(got(*there), "token-1");
  EXPECT_FALSE(token.source.may_block());
}

TEST_F(AccountTest, without_a_handler_nothing_is_begun) {
  Token token = make();
  EXPECT_FALSE(token.source.get({}, nullptr));
  EXPECT_EQ(renewals, 0);
}

TEST_F(AccountTest, a_handler_is_called_once_from_another_thread_and_never_inside_the_call) {
  Token token = make();
  std::binary_semaphore go_on(0);
  response = [&](const auto&) {
    go_on.acquire();
    return fresh();
  };
  constexpr int waiting = 10;
  std::atomic<int> called = 0;
  for (int i = 0; i < waiting; ++i) {
    const auto there = token.source.get({}, [&, here = std::this_thread::get_id()](const Result<AccessToken>& brought) {
      EXPECT_NE(std::this_thread::get_id(), here);
      EXPECT_EQ(got(brought), "token-1");
      ++called;
    });
    EXPECT_FALSE(there);
  }
  EXPECT_EQ(called, 0);
  go_on.release();
  EXPECT_TRUE(eventually([&] { return called == waiting; }));
  token.renewals->workers.end();
  EXPECT_EQ(called, waiting);
  EXPECT_EQ(renewals, 1);
}

TEST_F(AccountTest, its_deadline_and_stop_do_not_end_a_wait_by_handler) {
  Token token = make();
  std::binary_semaphore go_on(0);
  response = [&](const auto&) {
    go_on.acquire();
    return fresh();
  };
  std::atomic<bool> called = false;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(token.source.get({.deadline = std::chrono::steady_clock::now(), .stop = stop.get_token()},
                                [&](const Result<AccessToken>& brought) {
                                  EXPECT_TRUE(brought);
                                  called = true;
                                }));
  go_on.release();
  EXPECT_TRUE(eventually([&] { return called.load(); }));
}

// ---- the end of what renews

TEST_F(AccountTest, the_end_waits_for_the_renewal_and_fails_those_that_have_no_worker_yet) {
  const auto renewals_of_two = with(5min, 1);
  const TokenSource anna(std::make_shared<Account>("anna", renewals_of_two));
  const TokenSource kari(std::make_shared<Account>("kari", renewals_of_two));
  std::atomic<bool> under_way = false;
  response = [&](const std::stop_token& leaving) {
    under_way = true;
    while (!leaving.stop_requested()) std::this_thread::sleep_for(1ms);
    return fresh();
  };
  std::string annas, karis;
  EXPECT_FALSE(anna.get({}, [&](const auto& token) { annas = got(token); }));
  EXPECT_FALSE(kari.get({}, [&](const auto& token) { karis = got(token); }));
  ASSERT_TRUE(eventually([&] { return under_way.load(); }));
  renewals_of_two->workers.end();
  EXPECT_EQ(annas, "token-1");
  EXPECT_THAT(karis, testing::StartsWith("error: the renewal has not begun: its Accounts has ended"));
  EXPECT_EQ(renewals, 1);

  EXPECT_EQ(got(anna({})), "token-1") << "a source gives what it has, as long as that lives";
  elapsed = 13h;
  const auto after = anna({});
  EXPECT_THAT(got(after), testing::StartsWith("error: the renewal has not begun: its Accounts has ended"));
  EXPECT_EQ(after.error().kind(), ErrorKind::cancelled);
}

// ---- many accounts

TEST_F(AccountTest, no_more_renewals_are_under_way_than_there_are_workers) {
  constexpr int workers = 3, accounts = 50;
  const auto renewals_of_all = with(5min, workers);
  std::atomic<int> under_way = 0, most = 0, called = 0;
  response = [&](const auto&) {
    const int now = ++under_way;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::sleep_for(1ms);
    --under_way;
    return fresh();
  };
  std::vector<TokenSource> sources;
  for (int i = 0; i < accounts; ++i) {
    sources.emplace_back(std::make_shared<Account>(std::to_string(i), renewals_of_all));
    EXPECT_FALSE(sources.back().get({}, [&](const auto& token) { called += token ? 1 : 0; }));
  }
  EXPECT_TRUE(eventually([&] { return called == accounts; }));
  renewals_of_all->workers.end();
  EXPECT_LE(most, workers);
  EXPECT_EQ(renewals, accounts);
}

TEST_F(AccountTest, what_is_remembered_is_bounded_and_the_oldest_goes_first) {
  const auto of_all = with();
  KnownAccounts known(of_all, 3);
  const auto ask = [&](const std::string& name) {
    const auto account = known.find(name);
    std::string told = got(TokenSource(account)({}));
    EXPECT_TRUE(eventually([&] { return account.use_count() == 2; })) << "the worker has done with it";
    return told;
  };
  EXPECT_EQ(ask("a"), "token-1");
  EXPECT_EQ(ask("b"), "token-2");
  EXPECT_EQ(ask("c"), "token-3");
  EXPECT_EQ(ask("a"), "token-1");
  EXPECT_EQ(ask("d"), "token-4") << "and b goes, for a was asked for since";
  EXPECT_EQ(known.size(), 3U);
  EXPECT_EQ(ask("a"), "token-1");
  EXPECT_EQ(ask("c"), "token-3");
  EXPECT_EQ(ask("b"), "token-5");
  of_all->workers.end();
}

TEST_F(AccountTest, an_account_of_which_a_source_is_held_is_the_same_for_all) {
  const auto of_all = with();
  KnownAccounts known(of_all, 1);
  const TokenSource held(known.find("held"));
  ASSERT_EQ(got(held({})), "token-1");
  for (int i = 0; i < 10; ++i) static_cast<void>(known.find(std::to_string(i)));
  EXPECT_EQ(got(TokenSource(known.find("held"))({})), "token-1");
  EXPECT_EQ(known.size(), 1U);
  of_all->workers.end();
}

TEST_F(AccountTest, those_of_whom_a_source_was_held_go_once_it_is_not) {
  const auto of_all = with();
  KnownAccounts known(of_all, 3);
  {
    std::vector<TokenSource> held;
    for (int i = 0; i < 10; ++i) held.emplace_back(known.find(std::to_string(i)));
    EXPECT_EQ(known.size(), 10U);
  }
  for (int i = 0; i < 10; ++i) static_cast<void>(known.find("9"));
  EXPECT_EQ(known.size(), 3U);
}

TEST_F(AccountTest, an_account_whose_renewal_is_put_off_is_not_forgotten_until_the_next) {
  const auto of_all = with();
  response = [](const auto&) { return failed(17s); };
  KnownAccounts known(of_all, 1);
  {
    const auto account = known.find("down");
    EXPECT_FALSE(TokenSource(account)({}));
    EXPECT_TRUE(eventually([&] { return account.use_count() == 2; })) << "the worker has done with it";
  }
  const auto others = [&] {
    for (int i = 0; i < 4; ++i) static_cast<void>(known.find(std::to_string(i)));
  };
  others();
  EXPECT_FALSE(TokenSource(known.find("down"))({}));
  EXPECT_EQ(renewals, 1) << "nobody is asked by every call";
  elapsed = 17s;
  others();
  EXPECT_EQ(known.size(), 1U);
}

TEST_F(AccountTest, an_account_whose_token_is_in_memory_alone_is_not_forgotten) {
  const auto of_all = with();
  renew_with = [](Standing& standing, const auto&) {
    standing = Unsaved{"spent", {}, nullptr};
    return failed();
  };
  KnownAccounts known(of_all, 1);
  EXPECT_FALSE(TokenSource(known.find("unsaved"))({}));
  for (int i = 0; i < 10; ++i) static_cast<void>(known.find(std::to_string(i)));
  EXPECT_EQ(known.size(), 2U);
  EXPECT_EQ(got(TokenSource(known.find("unsaved"))({})), "error: the authorization server is down");
  EXPECT_EQ(renewals, 1) << "it is the same";
  of_all->workers.end();
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(AccountTest, fifty_thousand_idle_accounts_take_less_than_a_kib_each) {
  constexpr std::size_t accounts = 50'000;
  told = {};
  const auto of_all = with(5min, 8);
  response = [this](const auto&) -> Renewed {
    return StoredToken{.access_token = "3f0c8a52-6f1e-4d55-9d0b-7f2a4c1e9b60",  // as long as Spring's
                       .obtained_at = now().wall,
                       .expires_at = now().wall + 12h};
  };
  KnownAccounts known(of_all, accounts);
  const std::size_t before = mallinfo2().uordblks;
  std::atomic<std::size_t> got = 0;
  for (std::size_t i = 0; i < accounts; ++i) {
    EXPECT_FALSE(
        known.find("customer-" + std::to_string(i))->get({}, [&](const auto& token) { got += token ? 1 : 0; }));
  }
  EXPECT_TRUE(eventually([&] { return got == accounts; }));
  of_all->workers.end();
  const std::size_t each = (mallinfo2().uordblks - before) / accounts;
  std::cout << accounts << " idle accounts: " << each << " bytes each\n";
  EXPECT_EQ(got, accounts);
  EXPECT_EQ(known.size(), accounts);
  EXPECT_LE(each, 1024U);
}
#endif

// ---- what operators are told

TEST_F(AccountTest, a_renewal_and_what_puts_it_off_are_told) {
  Token token = make();
  response = [](const auto&) { return failed(17s); };
  EXPECT_FALSE(token.get({}));
  response = [this](const auto&) { return fresh(); };
  elapsed = 17s;
  EXPECT_EQ(got(token.get({})), "token-2");
  token.renewals->workers.end();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, TokenEvent::Kind::put_off);
  EXPECT_EQ(events[0].account, "anna");
  EXPECT_EQ(events[0].until, begin_of_time + 17s);
  EXPECT_EQ(events[0].error->message(), "the authorization server is down");
  EXPECT_EQ(events[1].kind, TokenEvent::Kind::renewed);
  EXPECT_EQ(events[1].until, begin_of_time + 17s + 12h);
  EXPECT_FALSE(events[1].error);
}

TEST_F(AccountTest, log_in_again_is_told_once_until_there_is_a_token_again) {
  Token token = make();
  const auto dead = [](const auto&) -> Renewed {
    return NotRenewed{.error = token_error("dead", {.log_in_again = true}), .pause = 1s, .backs_off = false};
  };
  const auto fresh_one = [this](const auto&) { return fresh(1s); };
  for (int round = 0; round < 2; ++round) {
    response = dead;
    for (int i = 0; i < 3; ++i) {
      elapsed = elapsed.load() + 60s;
      EXPECT_EQ(got(token.get({})), "error: dead");
      response = [](const auto&) { return failed(); };
      elapsed = elapsed.load() + 60s;
      EXPECT_FALSE(token.get({})) << "it need not be dead each time";
      response = dead;
    }
    response = fresh_one;
    elapsed = elapsed.load() + 60s;
    EXPECT_TRUE(token.get({}));
    elapsed = elapsed.load() + 1s;
  }
  token.renewals->workers.end();
  const auto told = [&](auto kind) { return std::ranges::count(events, kind, &TokenEvent::kind); };
  EXPECT_EQ(told(TokenEvent::Kind::log_in_again), 2);
  EXPECT_EQ(told(TokenEvent::Kind::renewed), 2);
}

TEST_F(AccountTest, an_exception_of_who_is_told_ends_nothing) {
  told = [](const auto&) { throw 7; };
  Token token = make();
  EXPECT_EQ(got(token.get({})), "token-1");
}

TEST_F(AccountTest, what_calls_are_told_while_a_renewal_is_put_off_says_until_when) {
  Token token = make();
  response = [](const auto&) -> Renewed {
    return NotRenewed{.error = token_error("down", {.temporary = true}), .pause = 17s};
  };
  const auto down = token.get({});
  EXPECT_EQ(got(down), "error: down; renewal put off until 2026-04-01 03:00:24Z");
  EXPECT_TRUE(down.error().get_if<TokenError>()->temporary);
}

class RefreshingTokenThreads : public AccountTest {};

TEST_F(RefreshingTokenThreads, sixty_four_that_meet_an_expired_token_make_one_renewal) {
  Token token = make();
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
  Token token = make();
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
  Token token = make();
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

}  // namespace
}  // namespace connectid::detail
