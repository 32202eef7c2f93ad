// Which attempts are repeated, after which pause, and in which outcome a call of several attempts ends: one row a rule.

#include <gtest/gtest.h>

#include <deque>
#include <ostream>
#include <vector>

#include "support/simulated_call.hpp"

namespace connectid::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const auto no_connection = failure(Stage::connect, Cause::unreachable, false);
const auto truncated = failure(Stage::wait, Cause::closed, true);
const http::Headers challenge{{"WWW-Authenticate", "Bearer"}};
const auto refused_token = response(401, challenge);
const auto slow_down = response(429, {{"Retry-After", "2"}});
const auto stray = failure(Stage::send, Cause::stray_response, false);

http::Response early(http::Left left, http::Response response) {
  response.left = left;
  return response;
}
using http::Left;

/// So many times no connection, and then this.
std::vector<http::AttemptResult> no_connections(std::size_t times, std::vector<http::AttemptResult> then = {}) {
  std::vector<http::AttemptResult> results(times, no_connection);
  results.insert(results.end(), then.begin(), then.end());
  return results;
}

struct Row {
  const char* name;
  std::vector<http::AttemptResult> results;  ///< to the attempts, in order
  int sends;                                 ///< how often the request goes out
  Outcome outcome;
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
  SimulatedCall exchange = calls.make(row.timeouts, row.retry, row.repeat);
  std::deque<http::AttemptResult> results(row.results.begin(), row.results.end());
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
      ASSERT_FALSE(results.empty()) << "one attempt more than the row has responses for";
      event = std::visit([](const auto& what) -> Event { return what; }, results.front());
      results.pop_front();
      calls.elapsed += 10ms;
    }
    action = exchange.next(std::move(event), calls.now());
  }

  const Done& done = std::get<Done>(action);
  EXPECT_EQ(sends, row.sends);
  EXPECT_EQ(done.call.attempts, row.sends);
  EXPECT_EQ(waits, row.waits);
  if (row.outcome == Outcome::succeeded) {
    EXPECT_FALSE(done.error) << *done.error;
    return;
  }
  ASSERT_TRUE(done.error);
  EXPECT_EQ(to_string(done.error->outcome()), to_string(row.outcome)) << *done.error;
  EXPECT_EQ(done.error->kind(), row.kind) << *done.error;
  EXPECT_NE(done.error->message().find(row.says), std::string::npos) << *done.error;
}

RetryPolicy once() { return {.max_attempts = 1}; }
RetryPolicy with_repeated_starts() { return {.repeat_unknown_starts = true}; }
RetryPolicy connecting_for(milliseconds time) { return {.connect_for = time}; }

using enum Outcome;
using Kind = ErrorKind;

// The simulated chance is 0.5: half of the longest back-off, and of the little more after a named pause.
const Row rows[] = {
    {"a_refused_connection_is_tried_again_after_a_back_off", {no_connection, ok()}, 2, succeeded, {}, {125ms}},
    {"the_back_off_doubles", {no_connection, no_connection, ok()}, 3, succeeded, {}, {125ms, 250ms}},
    {"connecting_is_tried_until_its_time_is_over_and_once_more_at_its_end",
     no_connections(9),
     9,
     not_sent,
     Kind::transport_error,
     {125ms, 250ms, 500ms, 1000ms, 2000ms, 2000ms, 2000ms, 2000ms},
     "not sent: unreachable; not tried again: no connection for 9945 ms",
     connecting_for(9'945ms)},
    {"the_last_pause_of_connecting_is_shortened",
     no_connections(5),
     5,
     not_sent,
     Kind::transport_error,
     {125ms, 250ms, 500ms, 95ms},
     "not tried again: no connection for 1000 ms",
     connecting_for(1s)},
    {"that_is_twenty_seconds",
     no_connections(13, {ok()}),
     14,
     succeeded,
     {},
     {125ms, 250ms, 500ms, 1000ms, 2000ms, 2000ms, 2000ms, 2000ms, 2000ms, 2000ms, 2000ms, 2000ms, 2000ms}},
    {"connecting_for_no_time_is_once",
     {no_connection},
     1,
     not_sent,
     Kind::transport_error,
     {},
     "not tried again: no connection for 0 ms",
     connecting_for(0ms)},
    {"connecting_for_less_than_no_time_is_once",
     {no_connection},
     1,
     not_sent,
     Kind::transport_error,
     {},
     "not tried again: no connection for 0 ms",
     connecting_for(milliseconds::min())},
    {"connecting_has_a_pause_even_where_the_policy_has_none",
     no_connections(3, {ok()}),
     4,
     succeeded,
     {},
     {50ms, 50ms, 50ms},
     "",
     {.first_pause = 0ms}},
    {"connecting_ends_before_the_deadline",
     no_connections(4),
     4,
     not_sent,
     Kind::transport_error,
     {125ms, 250ms, 500ms},
     "a pause of 1000 ms would end after the call's timeout of 1500 ms",
     {},
     Repeat::never,
     {.timeout = 1500ms}},
    {"what_left_begins_the_time_of_connecting_anew",
     {no_connection, no_connection, slow_down, no_connection, no_connection, no_connection, no_connection},
     7,
     rejected,
     Kind::rate_limited,
     {125ms, 250ms, 2100ms, 125ms, 250ms, 5ms},
     "the server asks for a pause of 2000 ms; then unreachable; not tried again: no connection for 400 ms",
     connecting_for(400ms)},
    {"attempts_without_a_connection_do_not_count_as_attempts",
     {no_connection, slow_down, no_connection, slow_down, no_connection, slow_down},
     6,
     rejected,
     Kind::rate_limited,
     {125ms, 2100ms, 125ms, 2100ms, 125ms},
     "this was attempt 3 of at most 3, those without a connection not counted"},
    {"one_attempt_is_one", {no_connection}, 1, not_sent, Kind::transport_error, {}, "attempt 1 of at most 1", once()},
    {"attempts_below_one_are_one", {no_connection}, 1, not_sent, Kind::transport_error, {}, "", {.max_attempts = -1}},
    {"a_name_that_is_not_found_is_tried_again",
     {failure(Stage::resolve, Cause::unresolved, false), ok()},
     2,
     succeeded,
     {},
     {125ms}},
    {"a_broken_handshake_is_tried_again",
     {failure(Stage::handshake, Cause::tls, false), ok()},
     2,
     succeeded,
     {},
     {125ms}},
    {"a_connection_that_took_too_long_is_tried_again",
     {failure(Stage::connect, Cause::timed_out, false), ok()},
     2,
     succeeded,
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
    {"a_proxy_that_denies_is_final",
     {failure(Stage::connect, Cause::proxy_denied, false)},
     1,
     not_sent,
     Kind::transport_error},
    {"a_proxy_that_does_not_reach_it_is_asked_again",
     {failure(Stage::connect, Cause::proxy_refused, false), ok()},
     2,
     succeeded,
     {},
     {125ms}},
    {"what_broke_before_anything_left_is_tried_again_whatever_the_stage",
     {failure(Stage::send, Cause::closed, false), failure(Stage::send, Cause::reset, false), ok()},
     3,
     succeeded,
     {},
     {125ms, 250ms}},
    {"a_stray_response_before_anything_left_is_no_response", {stray, ok()}, 2, succeeded, {}, {125ms}},
    {"a_cancelled_attempt_is_final", {failure(Stage::connect, Cause::cancelled, false)}, 1, not_sent, Kind::cancelled},

    {"a_truncated_start_is_never_repeated",
     {truncated},
     1,
     unknown,
     Kind::transport_error,
     {},
     "closed. The server may have acted: verify before retrying"},
    {"a_start_that_timed_out_is_never_repeated",
     {failure(Stage::wait, Cause::timed_out, true)},
     1,
     unknown,
     Kind::transport_error},
    {"a_start_answered_with_500_is_never_repeated", {response(500)}, 1, unknown, Kind::server_error},
    {"a_start_answered_with_503_and_a_pause_is_never_repeated",
     {response(503, {{"Retry-After", "1"}})},
     1,
     unknown,
     Kind::server_error},
    {"a_start_answered_with_408_is_never_repeated", {response(408)}, 1, unknown, Kind::unexpected_response},
    {"a_start_answered_with_409_is_never_repeated",
     {response(409, {}, R"({"exceptionType":"Duplicate"})")},
     1,
     unknown,
     Kind::unexpected_response,
     {},
     "HTTP 409: Duplicate. The server may have acted"},
    {"a_start_answered_with_a_gateways_403_is_never_repeated",
     {response(403, {}, "<html>denied</html>")},
     1,
     unknown,
     Kind::unexpected_response,
     {},
     "HTTP 403: the body begins <html>denied</html>. The server may have acted"},
    {"a_start_of_which_something_left_before_the_connection_stood_is_never_repeated",
     {failure(Stage::connect, Cause::unreachable, true)},
     1,
     unknown,
     Kind::transport_error},
    {"a_truncated_start_after_a_refused_connection_ends_unknown",
     {no_connection, truncated},
     2,
     unknown,
     Kind::transport_error,
     {125ms}},
    {"where_the_caller_says_so_a_truncated_start_is_repeated",
     {truncated, ok()},
     2,
     succeeded,
     {},
     {125ms},
     "",
     with_repeated_starts()},
    {"then_unknown_is_sticky_over_a_refusal",
     {truncated, response(404)},
     2,
     unknown,
     Kind::transport_error,
     {125ms},
     "closed; then HTTP 404. The server may have acted",
     with_repeated_starts()},
    {"then_unknown_is_sticky_over_a_refused_connection",
     {truncated, no_connection, no_connection, no_connection},
     4,
     unknown,
     Kind::transport_error,
     {125ms, 125ms, 65ms},
     "closed; then unreachable; not tried again: no connection for 200 ms",
     {.repeat_unknown_starts = true, .connect_for = 200ms}},
    {"a_redirect_is_not_repeated_even_then",
     {response(302)},
     1,
     unknown,
     Kind::unexpected_response,
     {},
     "",
     with_repeated_starts()},

    {"a_read_is_repeated_after_a_truncated_response",
     {truncated, ok()},
     2,
     succeeded,
     {},
     {125ms},
     "",
     {},
     Repeat::freely},
    {"a_read_is_repeated_after_500", {response(500), ok()}, 2, succeeded, {}, {125ms}, "", {}, Repeat::freely},
    {"a_read_is_repeated_after_the_pause_of_a_503",
     {response(503, {{"Retry-After", "4"}}), ok()},
     2,
     succeeded,
     {},
     {4200ms},
     "",
     {},
     Repeat::freely},
    {"what_may_be_repeated_once_is_sent_again_after_a_truncated_response",
     {truncated, ok()},
     2,
     succeeded,
     {},
     {125ms},
     "",
     {},
     Repeat::once},
    {"what_may_be_repeated_once_is_not_sent_a_third_time",
     {truncated, truncated},
     2,
     unknown,
     Kind::transport_error,
     {125ms},
     "closed",
     {},
     Repeat::once},
    {"what_may_be_repeated_once_ends_as_its_last_attempt_did",
     {response(500), response(400, {}, R"({"error":"invalid_grant"})")},
     2,
     rejected,
     Kind::bad_request,
     {125ms},
     "HTTP 400: invalid_grant",
     {},
     Repeat::once},
    {"what_may_be_repeated_once_still_waits_for_a_connection",
     {truncated, failure(Stage::connect, Cause::unreachable, false), ok()},
     3,
     succeeded,
     {},
     {125ms, 125ms},
     "",
     {},
     Repeat::once},
    {"a_read_ends_in_the_outcome_of_its_last_attempt",
     {truncated, response(404)},
     2,
     rejected,
     Kind::rejected,
     {125ms},
     "",
     {},
     Repeat::freely},

    {"a_429_is_repeated_after_the_pause_it_names", {slow_down, ok()}, 2, succeeded, {}, {2100ms}},
    {"a_429_with_a_date_is_repeated_then",
     {response(429, {{"Retry-After", "Wed, 01 Apr 2026 03:00:03 GMT"}, {"Date", "Wed, 01 Apr 2026 03:00:00 GMT"}}),
      ok()},
     2,
     succeeded,
     {},
     {3150ms}},
    {"a_429_with_a_reset_is_repeated_then",
     {response(429, {{"X-RateLimit-Reset", "5"}}), ok()},
     2,
     succeeded,
     {},
     {5250ms}},
    {"a_429_with_an_absolute_reset_is_repeated_then",
     {response(429, {{"X-RateLimit-Reset", "1775012406"}, {"Date", "Wed, 01 Apr 2026 03:00:02 GMT"}}), ok()},
     2,
     succeeded,
     {},
     {4200ms}},
    {"a_429_with_nothing_left_is_repeated_after_the_longest_window",
     {response(429, {{"X-RateLimit-Remaining", "0"}}), ok()},
     2,
     succeeded,
     {},
     {63s}},
    {"a_pause_is_waited_for_no_longer_than_the_policy_says",
     {response(429, {{"Retry-After", "3600"}}), ok()},
     2,
     succeeded,
     {},
     {63s}},
    {"after_a_429_at_least_a_second_is_waited_for",
     {response(429, {{"Retry-After", "0"}}), ok()},
     2,
     succeeded,
     {},
     {1050ms}},
    {"whatever_the_policy_says", {slow_down, ok()}, 2, succeeded, {}, {1000ms}, "", {.longest_named_pause = 0ms}},
    {"a_429_that_names_no_pause_is_final",
     {response(429)},
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
     {2100ms, 100ms},
     "; then unreachable; not tried again: no connection for 100 ms",
     connecting_for(100ms)},
    {"a_429_after_a_refused_connection", {no_connection, response(429)}, 2, rejected, Kind::rate_limited, {125ms}},

    {"a_401_with_a_challenge_is_repeated_once_with_another_token", {refused_token, ok()}, 2, succeeded},
    {"a_401_with_an_oauth_error_is_repeated_once",
     {response(401, {}, R"({"error":"invalid_token"})"), ok()},
     2,
     succeeded},
    {"a_401_without_a_challenge_is_final", {response(401)}, 1, rejected, Kind::unauthorized},
    {"a_401_with_an_api_error_alone_is_final",
     {response(401, {}, R"({"exceptionType":"X"})")},
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
     {125ms}},
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

    {"a_refusal_is_final", {response(400)}, 1, rejected, Kind::bad_request},
    {"a_forbidden_is_final", {response(403, challenge, R"({"errorMessage":"m"})")}, 1, rejected, Kind::forbidden},
    {"a_forbidden_of_oauth_is_final",
     {response(403, challenge, R"({"error":"insufficient_scope"})")},
     1,
     rejected,
     Kind::forbidden},

    {"an_early_401_gets_another_token", {early(Left::head, refused_token), ok()}, 2, succeeded},
    {"an_early_429_waits", {early(Left::part, slow_down), ok()}, 2, succeeded, {}, {2100ms}},
    {"an_early_400_is_final",
     {early(Left::head, response(400))},
     1,
     rejected,
     Kind::bad_request,
     {},
     "rejected: HTTP 400, which came before the request's body had left"},
    {"an_early_success_is_unknown",
     {early(Left::part, ok())},
     1,
     unknown,
     Kind::unexpected_response,
     {},
     "HTTP 200, which came before the whole request had left"},
    {"an_early_success_before_the_body_is_unknown", {early(Left::head, ok())}, 1, unknown, Kind::unexpected_response},
    {"an_early_503_within_the_body_is_unknown", {early(Left::part, response(503))}, 1, unknown, Kind::server_error},
    {"an_early_503_before_the_body_is_tried_again",
     {early(Left::head, response(503)), early(Left::head, response(503, {{"Retry-After", "3"}})), ok()},
     3,
     succeeded,
     {},
     {125ms, 3150ms}},
    {"and_counts_as_an_attempt",
     {early(Left::head, response(503)), early(Left::head, response(503)), early(Left::head, response(503))},
     3,
     not_sent,
     Kind::server_error,
     {125ms, 250ms},
     "not sent: HTTP 503, which came before the request's body had left; not tried again: this was attempt 3 of at "
     "most 3"},
    {"an_early_408_before_the_body_is_tried_again",
     {early(Left::head, response(408)), ok()},
     2,
     succeeded,
     {},
     {125ms}},
    {"an_early_response_costs_a_repeat_of_the_budget",
     {early(Left::head, response(503))},
     1,
     not_sent,
     Kind::server_error,
     {},
     "this client's budget of repeats is spent",
     {},
     Repeat::never,
     {},
     {"t"},
     0},

    {"a_stray_response_after_a_429_makes_the_call_unknown",
     {slow_down, stray},
     2,
     unknown,
     Kind::transport_error,
     {2100ms},
     "outcome unknown: sent 2026-04-01 03:00:07Z, stray_response: so the refusal before it (HTTP 429) was perhaps not "
     "this "
     "request's. The server may have acted"},
    {"a_stray_response_after_a_401_makes_the_call_unknown",
     {refused_token, no_connection, stray},
     3,
     unknown,
     Kind::transport_error,
     {125ms},
     "the refusal before it (HTTP 401)"},
    {"even_where_starts_are_repeated",
     {slow_down, stray},
     2,
     unknown,
     Kind::transport_error,
     {2100ms},
     "",
     with_repeated_starts()},
    {"and_a_read_ends_too",
     {slow_down, failure(Stage::wait, Cause::stray_response, true)},
     2,
     unknown,
     Kind::transport_error,
     {2100ms},
     "",
     {},
     Repeat::freely},

    {"without_a_budget_a_connection_is_tried_again",
     {no_connection, ok()},
     2,
     succeeded,
     {},
     {125ms},
     "",
     {},
     Repeat::never,
     {},
     {"t"},
     0},
    {"without_a_budget_what_may_have_acted_is_not_sent_again",
     {truncated},
     1,
     unknown,
     Kind::transport_error,
     {},
     "this client's budget of repeats is spent",
     with_repeated_starts(),
     Repeat::never,
     {},
     {"t"},
     0},
    {"a_pause_that_the_server_named_costs_nothing",
     {slow_down, ok()},
     2,
     succeeded,
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
     succeeded,
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
     succeeded,
     {},
     {50ms, 100ms, 150ms},
     "",
     {.max_attempts = 9, .first_pause = 100ms, .longest_pause = 300ms}},
};

INSTANTIATE_TEST_SUITE_P(Exchange, Retries, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

TEST(RetriesOfMany, an_outage_is_not_multiplied_and_responses_give_the_budget_back) {
  SimulatedCalls calls(/*budget=*/2);
  const auto attempts_of_a_read = [&](const http::AttemptResult& result) {
    SimulatedCall exchange = calls.make({}, {}, Repeat::freely);
    Action action = exchange.next(Go{}, calls.now());
    int attempts = 0;
    while (!std::holds_alternative<Done>(action)) {
      Event event = Go{};
      if (std::holds_alternative<GetToken>(action)) event = AccessToken{"t"};
      if (std::holds_alternative<WriteDown>(action)) event = WrittenDown{};
      if (std::holds_alternative<Send>(action)) {
        ++attempts;
        event = std::visit([](const auto& what) -> Event { return what; }, result);
      }
      action = exchange.next(std::move(event), calls.now());
    }
    return attempts;
  };
  EXPECT_EQ(attempts_of_a_read(truncated), 3);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(attempts_of_a_read(truncated), 1);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(attempts_of_a_read(response(503)), 1);
  EXPECT_EQ(attempts_of_a_read(truncated), 1) << "an outage gives nothing back";
  for (int i = 0; i < 10; ++i) EXPECT_EQ(attempts_of_a_read(ok()), 1);
  EXPECT_EQ(attempts_of_a_read(truncated), 2);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(attempts_of_a_read(ok()), 1);
  EXPECT_EQ(attempts_of_a_read(truncated), 3);
  EXPECT_EQ(attempts_of_a_read(truncated), 1) << "never more than it was at first";
}

Action to_the_journal(const SimulatedCalls& calls, SimulatedCall& call) {
  static_cast<void>(call.next(Go{}, calls.now()));
  return call.next(AccessToken{"t"}, calls.now());
}

TEST(RetriesOfMany, a_429_holds_back_the_other_calls_of_the_client) {
  SimulatedCalls calls(/*budget=*/1000, RateLimit::per_client());
  SimulatedCall first = calls.make();
  ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(calls, first)));
  static_cast<void>(first.next(WrittenDown{}, calls.now()));
  static_cast<void>(first.next(slow_down, calls.now()));
  calls.elapsed += 1s;
  SimulatedCall second = calls.make();
  const Action held_back = to_the_journal(calls, second);
  ASSERT_TRUE(std::holds_alternative<Wait>(held_back));
  EXPECT_GE(std::get<Wait>(held_back).until - calls.now().steady, 1s);
  SimulatedCall hasty = calls.make({.timeout = 500ms});
  const Action ended = to_the_journal(calls, hasty);
  ASSERT_TRUE(std::holds_alternative<Done>(ended));
  EXPECT_EQ(std::get<Done>(ended).error->outcome(), Outcome::not_sent);
  EXPECT_EQ(std::get<Done>(ended).error->kind(), ErrorKind::deadline_exceeded);
  EXPECT_TRUE(std::get<Done>(ended).error->message().starts_with("not sent: its slot in the rate limit comes in 10"));
}

TEST(RetriesOfMany, a_429_of_the_second_holds_back_the_others_for_no_more_than_that) {
  SimulatedCalls calls(/*budget=*/1000, RateLimit::per_client());
  SimulatedCall first = calls.make();
  ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(calls, first)));
  static_cast<void>(first.next(WrittenDown{}, calls.now()));
  static_cast<void>(
      first.next(response(429, {{"X-RateLimit-Remaining", "1500"}, {"X-RateLimit-Reset", "45"}}), calls.now()));
  SimulatedCall second = calls.make();
  const Action held_back = to_the_journal(calls, second);
  ASSERT_TRUE(std::holds_alternative<Wait>(held_back));
  EXPECT_GE(std::get<Wait>(held_back).until - calls.now().steady, 1s);
  EXPECT_LE(std::get<Wait>(held_back).until - calls.now().steady, 2s);
}

TEST(RetriesOfMany, a_429_without_a_pause_to_speak_of_holds_back_the_others_for_a_second) {
  SimulatedCalls calls(/*budget=*/1000, RateLimit::per_client());
  SimulatedCall first = calls.make();
  ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(calls, first)));
  static_cast<void>(first.next(WrittenDown{}, calls.now()));
  static_cast<void>(first.next(response(429, {{"Retry-After", "0"}}), calls.now()));
  SimulatedCall second = calls.make();
  const Action held_back = to_the_journal(calls, second);
  ASSERT_TRUE(std::holds_alternative<Wait>(held_back));
  EXPECT_GE(std::get<Wait>(held_back).until - calls.now().steady, 1s);
}

TEST(RetriesOfMany, a_call_that_ends_while_it_waits_gives_its_slot_to_the_next) {
  SimulatedCalls calls(/*budget=*/1000, RateLimit::per_client({.per_second = 1, .per_minute = 60}));
  SimulatedCall first = calls.make();
  ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(calls, first)));
  SimulatedCall second = calls.make();
  const Action its_slot = to_the_journal(calls, second);
  ASSERT_TRUE(std::holds_alternative<Wait>(its_slot));
  ASSERT_TRUE(std::holds_alternative<Done>(second.next(Stopped{Stage::pause}, calls.now())));
  SimulatedCall third = calls.make();
  const Action waits = to_the_journal(calls, third);
  ASSERT_TRUE(std::holds_alternative<Wait>(waits));
  EXPECT_EQ(std::get<Wait>(waits).until, std::get<Wait>(its_slot).until);
}

TEST(RetriesOfMany, a_slot_that_is_waited_for_is_reserved_and_not_used_before) {
  SimulatedCalls calls(/*budget=*/1000, RateLimit::per_client({.per_second = 1, .per_minute = 60}));
  SimulatedCall first = calls.make();
  ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(calls, first)));
  SimulatedCall second = calls.make();
  const Action waits = to_the_journal(calls, second);
  ASSERT_TRUE(std::holds_alternative<Wait>(waits));
  const auto slot = std::get<Wait>(waits).until;
  const Action early = second.next(Go{}, calls.now());
  ASSERT_TRUE(std::holds_alternative<Wait>(early));
  EXPECT_EQ(std::get<Wait>(early).until, slot) << "it keeps its slot";
  calls.elapsed += std::chrono::ceil<milliseconds>(slot - calls.now().steady);
  EXPECT_TRUE(std::holds_alternative<WriteDown>(second.next(Go{}, calls.now())));
}

/// A client whose circuit five calls have opened, each of which was cut.
struct OpenCircuit {
  OpenCircuit() {
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(std::holds_alternative<Done>(result_to_a_call(truncated)));
    }
  }
  Action result_to_a_call(const http::AttemptResult& result) {
    SimulatedCall call = calls.make();
    if (Action action = to_the_journal(calls, call); std::holds_alternative<Done>(action)) return action;
    return replied(call, result);
  }
  Action replied(SimulatedCall& call, const http::AttemptResult& result) {
    static_cast<void>(call.next(WrittenDown{}, calls.now()));
    calls.elapsed += 10ms;
    return call.next(std::visit([](const auto& what) -> Event { return what; }, result), calls.now());
  }
  static const Error& error(const Action& action) { return *std::get<Done>(action).error; }

  SimulatedCalls calls{1000, RateLimit::off(), /*break_circuit_after=*/5};
};

TEST(RetriesOfMany, an_open_circuit_keeps_calls_back) {
  OpenCircuit open;
  open.calls.elapsed += 400ms;
  const Action action = open.result_to_a_call(ok());
  ASSERT_TRUE(std::holds_alternative<Done>(action));
  const Error& error = OpenCircuit::error(action);
  EXPECT_EQ(error.outcome(), Outcome::not_sent);
  ASSERT_TRUE(error.get_if<CircuitOpen>());
  EXPECT_EQ(error.get_if<CircuitOpen>()->since, Timestamp{1775012407173ms});
  EXPECT_EQ(error.retry_after(), 600ms);
  EXPECT_EQ(error.call().attempts, 0);
  EXPECT_EQ(error.unknown_attempts(), 0);
  EXPECT_EQ(
      error.message(),
      "not sent: the circuit breaker is open since 2026-04-01 03:00:07Z: 5 attempts in a row had ended at once, none "
      "with an application's response; the last one: closed while waiting for the response; the next call is let "
      "through in 600 ms");
}

TEST(RetriesOfMany, one_call_finds_out_and_closes_the_circuit) {
  OpenCircuit open;
  open.calls.elapsed += 1s;
  SimulatedCall probe = open.calls.make();
  ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(open.calls, probe)));
  const Action kept_back = open.result_to_a_call(ok());
  EXPECT_EQ(OpenCircuit::error(kept_back).kind(), ErrorKind::circuit_open);
  EXPECT_NE(OpenCircuit::error(kept_back).message().find("; one call is finding out whether that is over"),
            std::string::npos);
  EXPECT_FALSE(std::get<Done>(open.replied(probe, ok())).error);
  EXPECT_FALSE(std::get<Done>(open.result_to_a_call(ok())).error);
}

TEST(RetriesOfMany, a_probe_that_fails_opens_the_circuit_for_longer) {
  OpenCircuit open;
  open.calls.elapsed += 1s;
  EXPECT_EQ(OpenCircuit::error(open.result_to_a_call(response(503))).outcome(), Outcome::unknown);
  EXPECT_EQ(OpenCircuit::error(open.result_to_a_call(ok())).retry_after(), 2s);
}

TEST(RetriesOfMany, a_probe_that_ends_before_it_is_sent_frees_its_place) {
  OpenCircuit open;
  open.calls.elapsed += 1s;
  SimulatedCall probe = open.calls.make();
  ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(open.calls, probe)));
  ASSERT_TRUE(std::holds_alternative<Done>(probe.next(NotWrittenDown{"disk full"}, open.calls.now())));
  EXPECT_FALSE(std::get<Done>(open.result_to_a_call(ok())).error);
}

TEST(RetriesOfMany, a_probe_without_a_connection_leaves_it_to_the_next_call) {
  OpenCircuit open;
  open.calls.elapsed += 1s;
  SimulatedCall probe = open.calls.make();
  ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(open.calls, probe)));
  ASSERT_TRUE(std::holds_alternative<Wait>(open.replied(probe, no_connection)));
  SimulatedCall next = open.calls.make();
  ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(open.calls, next)));
  const Action ended = probe.next(Go{}, open.calls.now());
  ASSERT_TRUE(std::holds_alternative<Done>(ended));
  EXPECT_EQ(OpenCircuit::error(ended).kind(), ErrorKind::transport_error) << "what ended its attempt says more";
  EXPECT_TRUE(OpenCircuit::error(ended).message().starts_with(
      "not sent: unreachable; not tried again: the circuit breaker is open since"));
}

TEST(RetriesOfMany, a_call_that_may_have_acted_stays_unknown_where_the_circuit_is_open) {
  OpenCircuit open;
  open.calls.elapsed += 1s;
  SimulatedCall read = open.calls.make({}, {.repeat_unknown_starts = true});
  ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(open.calls, read)));
  ASSERT_TRUE(std::holds_alternative<Wait>(open.replied(read, truncated)));
  const Action ended = read.next(Go{}, open.calls.now());
  ASSERT_TRUE(std::holds_alternative<Done>(ended));
  EXPECT_EQ(OpenCircuit::error(ended).outcome(), Outcome::unknown);
  EXPECT_NE(OpenCircuit::error(ended).message().find("closed; not tried again: the circuit breaker is open"),
            std::string::npos);
}

TEST(RetriesOfMany, no_application_is_kept_from_calls_by_its_errors) {
  SimulatedCalls calls(1000, RateLimit::off(), 1);
  for (const int status : {200, 400, 401, 404, 429, 500, 501}) {
    for (int i = 0; i < 2; ++i) {
      SimulatedCall call = calls.make();
      ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(calls, call))) << status;
      static_cast<void>(call.next(WrittenDown{}, calls.now()));
      static_cast<void>(call.next(response(status), calls.now()));
    }
  }
}

/// A maintenance page with 200 or 302 makes as many unknowns as a 502.
TEST(RetriesOfMany, whatever_may_have_acted_at_once_keeps_calls_back) {
  http::Response page = response(200);
  page.body = "<html>back soon</html>";
  for (const http::Response& each : {page, response(204), response(302), response(403), response(409), response(502)}) {
    SimulatedCalls calls(1000, RateLimit::off(), 1);
    SimulatedCall call = calls.make();
    ASSERT_TRUE(std::holds_alternative<WriteDown>(to_the_journal(calls, call)));
    static_cast<void>(call.next(WrittenDown{}, calls.now()));
    static_cast<void>(call.next(each, calls.now()));
    SimulatedCall next = calls.make();
    const Action kept_back = to_the_journal(calls, next);
    ASSERT_TRUE(std::holds_alternative<Done>(kept_back)) << each.status;
    EXPECT_EQ(OpenCircuit::error(kept_back).kind(), ErrorKind::circuit_open) << each.status;
  }
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
