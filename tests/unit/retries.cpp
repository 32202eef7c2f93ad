// Which attempts are repeated, after which pause, and in which word a call of several attempts ends: one row a rule.

#include <gtest/gtest.h>

#include <deque>
#include <ostream>
#include <vector>

#include "simulated_call.hpp"

namespace connectid::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const auto no_connection = failure(Stage::connect, Cause::unreachable, false);
const auto cut = failure(Stage::wait, Cause::closed, true);
const http::Headers challenge{{"WWW-Authenticate", "Bearer"}};
const auto refused_token = answer(401, challenge);
const auto slow_down = answer(429, {{"Retry-After", "2"}});

struct Row {
  const char* name;
  std::vector<http::Reply> replies;  ///< to the attempts, in order
  int sends;                         ///< how often the request goes out
  Word word;
  ErrorKind kind = {};  ///< of the error, where there is one
  std::vector<milliseconds> waits = {};
  const char* says = "";  ///< part of the error's message
  RetryPolicy retry = {};
  Repeat repeat = Repeat::never;
  Timeouts timeouts = {};
  std::vector<std::string> tokens = {"token-1", "token-2", "token-3"};  ///< one after the other
  int budget = 1000;
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

class Retries : public testing::TestWithParam<Row> {};

TEST_P(Retries, follow_the_rule) {
  const Row& row = GetParam();
  SimulatedCalls calls(row.budget);
  Exchange exchange = calls.make(row.timeouts, row.retry, row.repeat);
  std::deque<http::Reply> replies(row.replies.begin(), row.replies.end());
  std::deque<std::string> tokens(row.tokens.begin(), row.tokens.end());
  std::vector<milliseconds> waits;
  int sends = 0;

  Action action = exchange.next(Go{}, calls.now());
  while (!std::holds_alternative<Done>(action)) {
    Event event = WrittenDown{};
    if (std::holds_alternative<GetToken>(action)) {
      event = AccessToken{tokens.front()};
      tokens.pop_front();
    } else if (const auto* wait = std::get_if<Wait>(&action)) {
      waits.push_back(std::chrono::duration_cast<milliseconds>(wait->until - calls.now().steady));
      calls.elapsed += waits.back();
      event = Go{};
    } else if (std::holds_alternative<Send>(action)) {
      ++sends;
      ASSERT_FALSE(replies.empty()) << "one attempt more than the row has replies for";
      event = std::visit([](const auto& what) -> Event { return what; }, replies.front());
      replies.pop_front();
      calls.elapsed += 10ms;
    }
    action = exchange.next(std::move(event), calls.now());
  }

  const Done& done = std::get<Done>(action);
  EXPECT_EQ(sends, row.sends);
  EXPECT_EQ(done.call.attempts, row.sends);
  EXPECT_EQ(waits, row.waits);
  if (row.word == Word::started) {
    EXPECT_FALSE(done.error) << *done.error;
    return;
  }
  ASSERT_TRUE(done.error);
  EXPECT_EQ(to_string(done.error->outcome()), to_string(row.word)) << *done.error;
  EXPECT_EQ(done.error->kind(), row.kind) << *done.error;
  EXPECT_NE(done.error->message().find(row.says), std::string::npos) << *done.error;
}

RetryPolicy once() { return {.max_attempts = 1}; }
RetryPolicy with_repeated_starts() { return {.repeat_unknown_starts = true}; }

using enum Word;
using Kind = ErrorKind;

// The simulated chance is 0.5: half of the longest back-off, and of the little more after a named pause.
const Row rows[] = {
    {"a_refused_connection_is_tried_again_after_a_back_off", {no_connection, ok()}, 2, started, {}, {125ms}},
    {"the_back_off_doubles", {no_connection, no_connection, ok()}, 3, started, {}, {125ms, 250ms}},
    {"no_more_than_the_attempts_of_the_policy",
     {no_connection, no_connection, no_connection},
     3,
     not_sent,
     Kind::transport_error,
     {125ms, 250ms},
     "not sent: unreachable; not tried again: this was attempt 3 of at most 3"},
    {"one_attempt_is_one", {no_connection}, 1, not_sent, Kind::transport_error, {}, "attempt 1 of at most 1", once()},
    {"attempts_below_one_are_one", {no_connection}, 1, not_sent, Kind::transport_error, {}, "", {.max_attempts = -1}},
    {"a_name_that_is_not_found_is_tried_again",
     {failure(Stage::resolve, Cause::unresolved, false), ok()},
     2,
     started,
     {},
     {125ms}},
    {"a_broken_handshake_is_tried_again",
     {failure(Stage::handshake, Cause::tls, false), ok()},
     2,
     started,
     {},
     {125ms}},
    {"a_connection_that_took_too_long_is_tried_again",
     {failure(Stage::connect, Cause::timed_out, false), ok()},
     2,
     started,
     {},
     {125ms}},
    {"a_certificate_that_does_not_verify_is_final",
     {failure(Stage::handshake, Cause::certificate, false)},
     1,
     not_sent,
     Kind::transport_error},
    {"a_configuration_that_cannot_be_used_is_final",
     {failure(Stage::connect, Cause::configuration, false)},
     1,
     not_sent,
     Kind::configuration_error},
    {"what_broke_after_the_connection_stood_is_final",
     {failure(Stage::send, Cause::stray_answer, false)},
     1,
     not_sent,
     Kind::transport_error},
    {"a_cancelled_attempt_is_final", {failure(Stage::connect, Cause::cancelled, false)}, 1, not_sent, Kind::cancelled},

    {"a_start_that_was_cut_is_never_repeated",
     {cut},
     1,
     unknown,
     Kind::transport_error,
     {},
     "closed. The server may have acted: look before sending it again"},
    {"a_start_that_timed_out_is_never_repeated",
     {failure(Stage::wait, Cause::timed_out, true)},
     1,
     unknown,
     Kind::transport_error},
    {"a_start_answered_with_500_is_never_repeated", {answer(500)}, 1, unknown, Kind::server_error},
    {"a_start_answered_with_503_and_a_pause_is_never_repeated",
     {answer(503, {{"Retry-After", "1"}})},
     1,
     unknown,
     Kind::server_error},
    {"a_start_answered_with_408_is_never_repeated", {answer(408)}, 1, unknown, Kind::unexpected_response},
    {"a_start_whose_body_left_before_the_connection_stood_is_never_repeated",
     {failure(Stage::connect, Cause::unreachable, true)},
     1,
     unknown,
     Kind::transport_error},
    {"a_start_that_was_cut_after_a_refused_connection_ends_unknown",
     {no_connection, cut},
     2,
     unknown,
     Kind::transport_error,
     {125ms}},
    {"where_the_caller_says_so_a_cut_start_is_repeated",
     {cut, ok()},
     2,
     started,
     {},
     {125ms},
     "",
     with_repeated_starts()},
    {"then_unknown_is_sticky_over_a_refusal",
     {cut, answer(409)},
     2,
     unknown,
     Kind::transport_error,
     {125ms},
     "closed; then HTTP 409. The server may have acted",
     with_repeated_starts()},
    {"then_unknown_is_sticky_over_a_refused_connection",
     {cut, no_connection, no_connection},
     3,
     unknown,
     Kind::transport_error,
     {125ms, 250ms},
     "closed; then unreachable; then unreachable; not tried again: this was attempt 3",
     with_repeated_starts()},
    {"a_redirect_is_not_repeated_even_then",
     {answer(302)},
     1,
     unknown,
     Kind::unexpected_response,
     {},
     "",
     with_repeated_starts()},

    {"a_read_is_repeated_after_a_cut", {cut, ok()}, 2, started, {}, {125ms}, "", {}, Repeat::freely},
    {"a_read_is_repeated_after_500", {answer(500), ok()}, 2, started, {}, {125ms}, "", {}, Repeat::freely},
    {"a_read_is_repeated_after_the_pause_of_a_503",
     {answer(503, {{"Retry-After", "4"}}), ok()},
     2,
     started,
     {},
     {4200ms},
     "",
     {},
     Repeat::freely},
    {"what_may_be_repeated_once_is_sent_again_after_a_cut", {cut, ok()}, 2, started, {}, {125ms}, "", {}, Repeat::once},
    {"what_may_be_repeated_once_is_not_sent_a_third_time",
     {cut, cut},
     2,
     unknown,
     Kind::transport_error,
     {125ms},
     "closed",
     {},
     Repeat::once},
    {"what_may_be_repeated_once_ends_as_its_last_attempt_did",
     {answer(500), answer(400, {}, R"({"error":"invalid_grant"})")},
     2,
     rejected,
     Kind::bad_request,
     {125ms},
     "HTTP 400: invalid_grant",
     {},
     Repeat::once},
    {"what_may_be_repeated_once_still_waits_for_a_connection",
     {cut, failure(Stage::connect, Cause::unreachable, false), ok()},
     3,
     started,
     {},
     {125ms, 250ms},
     "",
     {},
     Repeat::once},
    {"a_read_ends_in_the_word_of_its_last_attempt",
     {cut, answer(404)},
     2,
     rejected,
     Kind::rejected,
     {125ms},
     "",
     {},
     Repeat::freely},

    {"a_429_is_repeated_after_the_pause_it_names", {slow_down, ok()}, 2, started, {}, {2100ms}},
    {"a_429_with_a_date_is_repeated_then",
     {answer(429, {{"Retry-After", "Wed, 01 Apr 2026 03:00:03 GMT"}, {"Date", "Wed, 01 Apr 2026 03:00:00 GMT"}}), ok()},
     2,
     started,
     {},
     {3150ms}},
    {"a_429_with_a_reset_is_repeated_then",
     {answer(429, {{"X-RateLimit-Reset", "5"}}), ok()},
     2,
     started,
     {},
     {5250ms}},
    {"a_429_with_an_absolute_reset_is_repeated_then",
     {answer(429, {{"X-RateLimit-Reset", "1775012406"}, {"Date", "Wed, 01 Apr 2026 03:00:02 GMT"}}), ok()},
     2,
     started,
     {},
     {4200ms}},
    {"a_429_with_nothing_left_is_repeated_after_the_longest_window",
     {answer(429, {{"X-RateLimit-Remaining", "0"}}), ok()},
     2,
     started,
     {},
     {63s}},
    {"a_pause_is_waited_for_no_longer_than_the_policy_says",
     {answer(429, {{"Retry-After", "3600"}}), ok()},
     2,
     started,
     {},
     {63s}},
    {"a_429_that_names_no_pause_is_final",
     {answer(429)},
     1,
     rejected,
     Kind::rate_limited,
     {},
     "rejected: HTTP 429; not tried again: the server named no pause"},
    {"a_429_to_the_end",
     {slow_down, slow_down, slow_down},
     3,
     rejected,
     Kind::rate_limited,
     {2100ms, 2100ms},
     "the server asks for a pause of 2000 ms; not tried again: this was attempt 3 of at most 3"},
    {"a_pause_that_would_pass_the_deadline_is_not_begun",
     {slow_down},
     1,
     rejected,
     Kind::rate_limited,
     {},
     "not tried again: a pause of 2100 ms would end after the call's timeout of 2000 ms",
     {},
     Repeat::never,
     {.timeout = 2s}},
    {"rejected_is_sticky_over_a_refused_connection",
     {slow_down, no_connection, no_connection},
     3,
     rejected,
     Kind::rate_limited,
     {2100ms, 250ms},
     "; then unreachable"},
    {"a_429_after_a_refused_connection", {no_connection, answer(429)}, 2, rejected, Kind::rate_limited, {125ms}},

    {"a_401_with_a_challenge_is_repeated_once_with_another_token", {refused_token, ok()}, 2, started},
    {"a_401_with_an_oauth_error_is_repeated_once", {answer(401, {}, R"({"error":"invalid_token"})"), ok()}, 2, started},
    {"a_401_without_a_challenge_is_final", {answer(401)}, 1, rejected, Kind::unauthorized},
    {"a_401_with_an_api_error_alone_is_final",
     {answer(401, {}, R"({"exceptionType":"X"})")},
     1,
     rejected,
     Kind::unauthorized},
    {"the_same_token_is_not_tried_again",
     {refused_token},
     1,
     rejected,
     Kind::unauthorized,
     {},
     "rejected: HTTP 401; not tried again: the token source has no other token",
     {},
     Repeat::never,
     {},
     {"token-1", "token-1"}},
    {"a_second_401_is_final",
     {refused_token, refused_token},
     2,
     rejected,
     Kind::unauthorized,
     {},
     "not tried again: another token was refused before"},
    {"a_401_after_a_second_token_is_final_later_too",
     {refused_token, no_connection, refused_token},
     3,
     rejected,
     Kind::unauthorized,
     {250ms}},
    {"a_401_counts_as_an_attempt",
     {refused_token},
     1,
     rejected,
     Kind::unauthorized,
     {},
     "attempt 1 of at most 1",
     once()},
    {"a_token_that_no_header_can_hold_keeps_the_401",
     {refused_token},
     1,
     rejected,
     Kind::unauthorized,
     {},
     "HTTP 401; then the access token is empty",
     {},
     Repeat::never,
     {},
     {"token-1", ""}},

    {"a_refusal_is_final", {answer(400)}, 1, rejected, Kind::bad_request},
    {"a_forbidden_is_final", {answer(403, challenge)}, 1, rejected, Kind::forbidden},
    {"a_conflict_is_final", {answer(409)}, 1, rejected, Kind::rejected},

    {"without_a_budget_no_connection_is_tried_again",
     {no_connection},
     1,
     not_sent,
     Kind::transport_error,
     {},
     "this client's budget of repeats is spent",
     {},
     Repeat::never,
     {},
     {"t"},
     0},
    {"a_pause_that_the_server_named_costs_nothing",
     {slow_down, ok()},
     2,
     started,
     {},
     {2100ms},
     "",
     {},
     Repeat::never,
     {},
     {"t"},
     0},
    {"another_token_costs_nothing",
     {refused_token, ok()},
     2,
     started,
     {},
     {},
     "",
     {},
     Repeat::never,
     {},
     {"t", "u"},
     0},
    {"a_back_off_ends_at_the_longest_pause",
     {no_connection, no_connection, no_connection, ok()},
     4,
     started,
     {},
     {50ms, 100ms, 150ms},
     "",
     {.max_attempts = 9, .first_pause = 100ms, .longest_pause = 300ms}},
};

INSTANTIATE_TEST_SUITE_P(Exchange, Retries, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

TEST(RetriesOfMany, an_outage_is_not_multiplied_and_answers_give_the_budget_back) {
  SimulatedCalls calls(/*budget=*/2);
  const auto attempts_of_a_call = [&](const http::Reply& reply) {
    Exchange exchange = calls.make();
    Action action = exchange.next(Go{}, calls.now());
    int attempts = 0;
    while (!std::holds_alternative<Done>(action)) {
      Event event = Go{};
      if (std::holds_alternative<GetToken>(action)) event = AccessToken{"t"};
      if (std::holds_alternative<WriteDown>(action)) event = WrittenDown{};
      if (std::holds_alternative<Send>(action)) {
        ++attempts;
        event = std::visit([](const auto& what) -> Event { return what; }, reply);
      }
      action = exchange.next(std::move(event), calls.now());
    }
    return attempts;
  };
  EXPECT_EQ(attempts_of_a_call(no_connection), 3);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(attempts_of_a_call(no_connection), 1);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(attempts_of_a_call(answer(503)), 1);
  EXPECT_EQ(attempts_of_a_call(no_connection), 1) << "an outage gives nothing back";
  for (int i = 0; i < 10; ++i) EXPECT_EQ(attempts_of_a_call(ok()), 1);
  EXPECT_EQ(attempts_of_a_call(no_connection), 2);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(attempts_of_a_call(ok()), 1);
  EXPECT_EQ(attempts_of_a_call(no_connection), 3);
  EXPECT_EQ(attempts_of_a_call(no_connection), 1) << "never more than it was at first";
}

Action to_the_journal(const SimulatedCalls& calls, Exchange& call) {
  static_cast<void>(call.next(Go{}, calls.now()));
  return call.next(AccessToken{"t"}, calls.now());
}

TEST(RetriesOfMany, a_429_holds_back_the_other_calls_of_the_client) {
  SimulatedCalls calls(/*budget=*/1000, RateLimit::per_client());
  Exchange first = calls.make();
  ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(calls, first)));
  static_cast<void>(first.next(WrittenDown{}, calls.now()));
  static_cast<void>(first.next(slow_down, calls.now()));
  calls.elapsed += 1s;
  Exchange second = calls.make();
  const Action held_back = to_the_journal(calls, second);
  ASSERT_TRUE(std::holds_alternative<Wait>(held_back));
  EXPECT_GE(std::get<Wait>(held_back).until - calls.now().steady, 1s);
  Exchange hasty = calls.make({.timeout = 500ms});
  const Action ended = to_the_journal(calls, hasty);
  ASSERT_TRUE(std::holds_alternative<Done>(ended));
  EXPECT_EQ(std::get<Done>(ended).error->outcome(), Outcome::not_sent);
  EXPECT_EQ(std::get<Done>(ended).error->kind(), ErrorKind::deadline_exceeded);
  EXPECT_TRUE(std::get<Done>(ended).error->message().starts_with("not sent: its turn in the rate limit comes in 10"));
}

TEST(RetriesOfMany, a_429_of_the_second_holds_back_the_others_for_no_more_than_that) {
  SimulatedCalls calls(/*budget=*/1000, RateLimit::per_client());
  Exchange first = calls.make();
  ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(calls, first)));
  static_cast<void>(first.next(WrittenDown{}, calls.now()));
  static_cast<void>(
      first.next(answer(429, {{"X-RateLimit-Remaining", "1500"}, {"X-RateLimit-Reset", "45"}}), calls.now()));
  Exchange second = calls.make();
  const Action held_back = to_the_journal(calls, second);
  ASSERT_TRUE(std::holds_alternative<Wait>(held_back));
  EXPECT_GE(std::get<Wait>(held_back).until - calls.now().steady, 1s);
  EXPECT_LE(std::get<Wait>(held_back).until - calls.now().steady, 2s);
}

TEST(RetriesOfMany, a_pause_is_random_up_to_its_limit) {
  const RetryPolicy policy{.first_pause = 100ms, .longest_pause = 1s};
  EXPECT_EQ(back_off(policy, 1, 0), 0ms);
  EXPECT_EQ(back_off(policy, 1, 0.999), 100ms);
  EXPECT_EQ(back_off(policy, 4, 0.5), 400ms);
  EXPECT_EQ(back_off(policy, 1000, 0.5), 500ms);
  EXPECT_EQ(after_named_pause(policy, 2s, 0), 2s) << "never earlier than the server said";
  EXPECT_EQ(after_named_pause(policy, 0ms, 0.5), 50ms);
}

TEST(RetriesOfMany, hostile_policies_and_pauses_are_bounded) {
  const RetryPolicy longest{.first_pause = milliseconds::max(), .longest_pause = milliseconds::max()};
  EXPECT_LE(back_off(longest, 1'000, 1), 24h);
  const RetryPolicy negative{
      .first_pause = milliseconds::min(), .longest_pause = milliseconds::min(), .longest_named_pause = -1s};
  EXPECT_EQ(back_off(negative, 3, 1), 0ms);
  EXPECT_LE(after_named_pause(negative, milliseconds::max(), 1), 100ms);
  RetryBudget none(-5);
  EXPECT_FALSE(none.take());
}

}  // namespace
}  // namespace connectid::detail
