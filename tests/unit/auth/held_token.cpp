// What a call is given, and when there is a renewal: without a thread or a clock. (What many calls see: accounts.cpp.)

#include "auth/held_token.hpp"

#include <gtest/gtest.h>

#include <string>

namespace connectid::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr Timestamp begin_of_time{1775012407123ms};

Now at(milliseconds elapsed, milliseconds wall_ahead = 0ms) {
  return {std::chrono::steady_clock::time_point{} + 24h + elapsed, begin_of_time + elapsed + wall_ahead};
}

auth::StoredToken token(const char* name, Now now, milliseconds life = 12h) {
  return {.access_token = name, .obtained_at = now.wall, .expires_at = now.wall + life};
}

NotRenewed down(milliseconds pause) { return {.error = token_error("down", {.temporary = true}), .pause = pause}; }

/// `token`, `token, and renew`, `renew`, `wait` or `error`.
std::string asked(HeldToken& held, const Secret& refused, Now now) {
  const HeldToken::Reply reply = held.ask(refused, now);
  if (!reply.token) return reply.renew ? "renew" : "wait";
  if (!*reply.token) return reply.renew ? "error, and renew" : "error";
  return (*reply.token)->value.reveal() + (reply.renew ? ", and renew" : "");
}

TEST(HeldToken, without_one_there_is_a_renewal_and_only_one) {
  HeldToken held(5min);
  EXPECT_EQ(asked(held, {}, at(0ms)), "renew");
  EXPECT_EQ(held.begin({}), Secret());
  EXPECT_EQ(asked(held, {}, at(0ms)), "wait");
  held.renewed(token("a", at(1s)), at(1s), 0);
  EXPECT_EQ(asked(held, {}, at(1s)), "a");
}

TEST(HeldToken, is_renewed_ahead_once_and_again_after_the_pause_where_that_failed) {
  HeldToken held(5min);
  static_cast<void>(held.begin({}));
  held.renewed(token("a", at(0ms)), at(0ms), 0);
  const milliseconds ahead = 12h - 30s - 5min;
  EXPECT_EQ(asked(held, {}, at(ahead - 1ms)), "a");
  EXPECT_EQ(asked(held, {}, at(ahead)), "a, and renew");
  EXPECT_EQ(held.begin({}), Secret("a"));
  EXPECT_EQ(asked(held, {}, at(ahead)), "a");
  EXPECT_EQ(held.not_renewed(down(17s), at(ahead), 0), at(ahead + 17s).wall);
  EXPECT_EQ(asked(held, {}, at(ahead + 17s - 1ms)), "a");
  EXPECT_EQ(asked(held, {}, at(ahead + 17s - 1ms, 1min)), "a") << "the wall clock shortens no pause";
  EXPECT_TRUE(held.put_off(at(ahead + 17s - 1ms)));
  EXPECT_EQ(asked(held, {}, at(ahead + 17s)), "a, and renew");
  EXPECT_FALSE(held.put_off(at(ahead + 17s)));
}

TEST(HeldToken, refused_soon_after_a_renewal_for_a_refusal_is_an_error_unless_another_is_on_its_way) {
  HeldToken held(5min);
  static_cast<void>(held.begin({}));
  held.renewed(token("a", at(0ms)), at(0ms), 0);
  EXPECT_EQ(asked(held, "a", at(1s)), "renew");
  EXPECT_EQ(held.begin("a"), Secret("a"));
  held.renewed(token("b", at(1s), 10s), at(1s), 0);
  EXPECT_EQ(asked(held, "b", at(1500ms)), "error");
  EXPECT_EQ(asked(held, {}, at(1500ms)), "b");
  static_cast<void>(held.begin({}));  // somebody found that it is time
  EXPECT_EQ(asked(held, "b", at(1500ms)), "wait");
}

TEST(HeldToken, a_renewal_because_it_was_time_settles_nothing) {
  HeldToken held(5min);
  static_cast<void>(held.begin("refused"));
  held.renewed(token("a", at(0ms)), at(0ms), 0);
  EXPECT_EQ(asked(held, "a", at(500ms)), "error");
  static_cast<void>(held.begin({}));
  held.renewed(token("b", at(12h)), at(12h), 0);
  EXPECT_EQ(asked(held, "b", at(12h + 500ms)), "renew");
}

TEST(HeldToken, after_a_renewal_one_who_waited_gets_what_helps) {
  HeldToken held(5min);
  static_cast<void>(held.begin({}));
  held.renewed(token("a", at(0ms)), at(0ms), 0);
  EXPECT_EQ(held.after_renewal({}, at(0ms), false)->value().value, Secret("a"));
  EXPECT_FALSE(held.after_renewal("a", at(0ms), false)) << "the very token that was refused";
  EXPECT_EQ(held.after_renewal("a", at(0ms), true)->value().value, Secret("a"));
  EXPECT_FALSE(held.after_renewal({}, at(13h), false)) << "it ended on the way";
  EXPECT_FALSE(held.after_renewal({}, at(13h), true)->has_value());
  static_cast<void>(held.begin({}));
  static_cast<void>(held.not_renewed(down(1s), at(0ms), 0));
  EXPECT_FALSE(held.after_renewal({}, at(0ms), false)->has_value());
}

}  // namespace
}  // namespace connectid::detail
