// When a token is renewed and when it ends, from the times that a store keeps.

#include "auth/token_life.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace connectid::detail {
namespace {

using namespace std::chrono_literals;
using auth::StoredToken;
using std::chrono::milliseconds;

constexpr Timestamp begin_of_time{1775012407123ms};

using Spans = std::pair<std::chrono::nanoseconds, std::chrono::nanoseconds>;

TEST(TokenLife, ends_before_the_authorization_server_says_and_is_renewed_before_that) {
  const detail::Now now{std::chrono::steady_clock::time_point{} + 1h, begin_of_time};
  const auto of = [&](milliseconds whole, milliseconds age, milliseconds ahead, double random) {
    const TokenLife life =
        life_of({.obtained_at = begin_of_time - age, .expires_at = begin_of_time - age + whole}, ahead, random, now);
    EXPECT_EQ(life.ends_at.wall - now.wall, life.ends_at.steady - now.steady);
    return Spans(life.renew_at.steady - now.steady, life.ends_at.steady - now.steady);
  };
  EXPECT_EQ(of(12h, 0ms, 5min, 0), Spans(12h - 30s - 5min, 12h - 30s));
  EXPECT_EQ(of(12h, 0ms, 5min, 1), Spans(12h - 30s - 150s, 12h - 30s));
  EXPECT_EQ(of(12h, 11h, 5min, 0), Spans(1h - 30s - 5min, 1h - 30s));
  EXPECT_EQ(of(10s, 0ms, 5min, 0), Spans(8500ms - 2s, 8500ms)) << "servers count whole seconds";
  EXPECT_EQ(of(12h, -1h, 5min, 0), Spans(12h - 30s - 5min, 12h - 30s))
      << "a wall clock that was set back gives no time";
  EXPECT_LT(of(12h, 13h, 5min, 0).second, 0ns);
  const auto of_times = [&](Timestamp obtained_at, Timestamp expires_at) {
    return life_of({.obtained_at = obtained_at, .expires_at = expires_at}, 5min, 0, now).ends_at.steady - now.steady;
  };
  EXPECT_EQ(of_times(Timestamp::min(), Timestamp::max()), 366 * 24h - 30s) << "no clock overflows";
  EXPECT_LT(of_times(Timestamp::max(), Timestamp::min()), 0ns);
  EXPECT_EQ(of(12h, 0ms, 0ms, 0).first, std::chrono::steady_clock::time_point::max() - now.steady);
}

TEST(TokenLife, little_more_than_a_second_is_used_for_a_second) {
  const detail::Now now{std::chrono::steady_clock::time_point{} + 1h, begin_of_time};
  for (const milliseconds whole : {0ms, 1ms, 999ms, 1500ms}) {
    const TokenLife life = life_of({.obtained_at = begin_of_time, .expires_at = begin_of_time + whole}, 5min, 0, now);
    EXPECT_EQ(life.ends_at.steady - now.steady, 1s) << whole.count();
  }
}

TEST(TokenLife, of_a_stored_token_begins_when_it_was_obtained_and_not_before) {
  const StoredToken token{.access_token = "a", .obtained_at = begin_of_time, .expires_at = begin_of_time + 12h};
  EXPECT_TRUE(is_live(token, begin_of_time));
  EXPECT_TRUE(is_live(token, begin_of_time - 1s)) << "machines that share a store have not quite the same time";
  EXPECT_FALSE(is_live(token, begin_of_time - 1s - 1ms)) << "the wall clock was wrong when it came";
  EXPECT_FALSE(is_live(token, begin_of_time - 24h));
  EXPECT_TRUE(is_live(token, begin_of_time + 12h - 30s - 1ms));
  EXPECT_FALSE(is_live(token, begin_of_time + 12h - 30s));
  EXPECT_FALSE(is_live({.obtained_at = begin_of_time, .expires_at = begin_of_time + 12h}, begin_of_time)) << "no token";
  EXPECT_FALSE(
      is_live({.access_token = "a", .obtained_at = Timestamp::max(), .expires_at = Timestamp::min()}, begin_of_time));
}

TEST(TokenLife, a_moment_has_come_once_either_clock_says_so) {
  const Moment moment{std::chrono::steady_clock::time_point{} + 1h, begin_of_time};
  EXPECT_TRUE(moment.has_come({moment.steady, moment.wall - 24h}));
  EXPECT_TRUE(moment.has_come({moment.steady - 24h, moment.wall}));
  EXPECT_FALSE(moment.has_come({moment.steady - 1ns, moment.wall - 1ms}));
  EXPECT_FALSE(Moment::never().has_come({moment.steady, moment.wall}));
}

}  // namespace
}  // namespace connectid::detail
