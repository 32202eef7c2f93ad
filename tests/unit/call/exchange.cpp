#include "call/exchange.hpp"

#include <gtest/gtest.h>

#include <concepts>

#include "support/simulated_call.hpp"

namespace connectid::detail {
namespace {

using namespace std::chrono_literals;
using http::Failure;
using http::Response;
using std::chrono::milliseconds;

class ExchangeTest : public testing::Test, protected SimulatedCalls {
 protected:
  /// Drives it to the point where the request is with the transport.
  Send send(SimulatedCall& exchange) {
    EXPECT_TRUE(std::holds_alternative<GetToken>(exchange.next(Go{}, now())));
    EXPECT_TRUE(std::holds_alternative<WriteDown>(exchange.next(AccessToken{"canary-token"}, now())));
    return std::get<Send>(exchange.next(WrittenDown{}, now()));
  }
  static const Error& error(const Action& action) { return *std::get<Done>(action).error; }
};

TEST_F(ExchangeTest, gets_a_token_sends_once_and_ends) {
  SimulatedCall exchange = make();
  const Send sent = send(exchange);
  EXPECT_EQ(sent.request->authorization.reveal(), "Bearer canary-token");
  elapsed = 250ms;
  const Action end = exchange.next(ok(), now());
  const Done& done = std::get<Done>(end);
  EXPECT_FALSE(done.error);
  EXPECT_EQ(done.call.call_id, "id-1");
  EXPECT_EQ(done.call.attempts, 1);
  EXPECT_EQ(done.call.http_status, 200);
  EXPECT_EQ(done.call.duration, 250ms);
  EXPECT_EQ(done.call.sent_at, Timestamp{1775012407123ms});
}

TEST_F(ExchangeTest, tells_the_figures_of_the_last_response_and_of_no_other) {
  SimulatedCall exchange = make();
  static_cast<void>(send(exchange));
  const http::Headers figures{{"Retry-After", "1"}, {"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "17"}};
  ASSERT_TRUE(std::holds_alternative<Wait>(exchange.next(response(429, figures), now())));
  elapsed = 2s;
  ASSERT_TRUE(std::holds_alternative<WriteDown>(exchange.next(Go{}, now())));
  ASSERT_TRUE(std::holds_alternative<Send>(exchange.next(WrittenDown{}, now())));
  const Action end = exchange.next(ok(), now());
  EXPECT_FALSE(std::get<Done>(end).call.rate_limit_remaining.has_value());
  EXPECT_FALSE(std::get<Done>(end).call.rate_limit_reset.has_value());
}

/// Nothing that it could share with another call, lock or read from: an Exchange is a value.
static_assert(std::copyable<Exchange>);

TEST_F(ExchangeTest, asks_for_all_that_it_does_not_hold) {
  const auto now_and_then = [this](milliseconds time) {
    elapsed = time;
    return now();
  };
  Exchange call = exchange({.timeout = 10s}, {.max_attempts = 3}, Repeat::freely);
  const auto next = [&](Event event, milliseconds time = 0ms) {
    return call.next(std::move(event), now_and_then(time));
  };
  EXPECT_TRUE(std::holds_alternative<GetToken>(next(Go{}).action));
  EXPECT_TRUE(std::holds_alternative<Reserve>(next(AccessToken{"t"}).action));
  EXPECT_EQ(std::get<Wait>(next(Reserved{now().steady + 3s}).action).until, now().steady + 3s);
  EXPECT_TRUE(std::holds_alternative<Reserve>(next(Go{}, 3s).action)) << "it asks again when its slot has come";
  EXPECT_EQ(std::get<WriteDown>(next(Admitted{.random = 0.25}, 3s).action).attempt, 1);
  EXPECT_TRUE(std::holds_alternative<Send>(next(WrittenDown{}, 3s).action));

  const http::Headers figures{{"X-RateLimit-Remaining", "7"}, {"X-RateLimit-Reset", "4"}};
  Step step = next(response(503, figures), 3s);
  ASSERT_TRUE(step.lesson);
  EXPECT_EQ(step.lesson->health, Health::fails_at_once);
  EXPECT_EQ(step.lesson->ended, "HTTP 503");
  EXPECT_FALSE(step.lesson->gives_back);
  ASSERT_TRUE(step.lesson->allowance);
  EXPECT_EQ(step.lesson->allowance->remaining, 7);
  EXPECT_EQ(step.lesson->allowance->reset, 4s);
  EXPECT_EQ(std::get<Wait>(step.action).until, now().steady + 4100ms) << "a quarter of what is added";
  EXPECT_TRUE(std::get<Wait>(step.action).costs_a_repeat);

  Exchange without_a_budget = call;
  step = without_a_budget.next(NoRepeatLeft{}, now());
  EXPECT_FALSE(step.lesson);
  EXPECT_TRUE(error(step.action).message().ends_with("this client's budget of repeats is spent, as in an outage"));

  EXPECT_TRUE(std::holds_alternative<Reserve>(next(Go{}, 8s).action)) << "the copy took nothing from it";
  step = next(CircuitIsOpen{.since = now().steady, .retry_in = 1s, .failures = 5, .last = "HTTP 503"}, 8s);
  EXPECT_FALSE(step.lesson);
  EXPECT_NE(error(step.action).message().find("the circuit breaker is open since"), std::string::npos);
}

TEST_F(ExchangeTest, a_slot_at_the_deadline_is_not_waited_for) {
  for (const auto at : {999ms, 1000ms}) {
    Exchange call = exchange({.timeout = 1s});
    static_cast<void>(call.next(Go{}, now()));
    static_cast<void>(call.next(AccessToken{"t"}, now()));
    const Step step = call.next(Reserved{now().steady + at}, now());
    if (at == 999ms) {
      EXPECT_EQ(std::get<Wait>(step.action).until, now().steady + at);
      continue;
    }
    EXPECT_EQ(error(step.action).outcome(), Outcome::not_sent);
    EXPECT_EQ(error(step.action).kind(), ErrorKind::deadline_exceeded);
  }
}

TEST_F(ExchangeTest, what_a_response_tells_the_other_calls) {
  struct {
    http::Response response;
    bool gives_back;
    std::optional<std::pair<std::int64_t, milliseconds>> allowance;
  } const rows[] = {
      {ok(), true, {}},
      {response(200, {{"X-RateLimit-Remaining", "3"}}), true, {}},
      {response(404, {{"X-RateLimit-Remaining", "3"}, {"X-RateLimit-Reset", "5"}}), true, {{3, 5s}}},
      {response(500), false, {}},
      {response(429), true, {}},
      {response(429, {{"Retry-After", "2"}}), true, {{0, 2s}}},
      {response(429, {{"Retry-After", "0"}}), true, {{0, 1s}}},
      {response(429, {{"X-RateLimit-Remaining", "3"}, {"X-RateLimit-Reset", "50"}}), true, {{0, 1s}}},
      {response(429, {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "50"}}), true, {{0, 50s}}},
  };
  for (const auto& row : rows) {
    Exchange call = exchange();
    for (const Event& event : {Event(Go{}), Event(AccessToken{"t"}), Event(Admitted{}), Event(WrittenDown{})}) {
      EXPECT_FALSE(call.next(event, now()).lesson);
    }
    const auto lesson = call.next(row.response, now()).lesson;
    ASSERT_TRUE(lesson);
    EXPECT_EQ(lesson->gives_back, row.gives_back) << lesson->ended;
    ASSERT_EQ(lesson->allowance.has_value(), row.allowance.has_value()) << lesson->ended;
    if (!row.allowance) continue;
    EXPECT_EQ(lesson->allowance->remaining, row.allowance->first) << lesson->ended;
    EXPECT_EQ(lesson->allowance->reset, row.allowance->second) << lesson->ended;
  }
}

TEST_F(ExchangeTest, an_attempt_ends_at_the_nearer_of_its_own_time_and_the_calls) {
  SimulatedCall near_attempt = make({.attempt_timeout = 10s, .timeout = 60s});
  EXPECT_EQ(send(near_attempt).deadline, now().steady + 10s);
  SimulatedCall near_call = make({.attempt_timeout = 10s, .timeout = 4s});
  EXPECT_EQ(send(near_call).deadline, now().steady + 4s);
  SimulatedCall endless =
      make({.attempt_timeout = std::chrono::milliseconds::max(), .timeout = std::chrono::milliseconds::max()});
  EXPECT_EQ(send(endless).deadline, std::chrono::steady_clock::time_point::max());
}

TEST_F(ExchangeTest, no_time_at_all_ends_before_a_token_is_asked_for) {
  for (const auto timeout : {0ms, -5ms, std::chrono::milliseconds::min()}) {
    SimulatedCall exchange = make({.timeout = timeout});
    const Action end = exchange.next(Go{}, now());
    EXPECT_EQ(error(end).outcome(), Outcome::not_sent);
    EXPECT_EQ(error(end).kind(), ErrorKind::deadline_exceeded);
    EXPECT_EQ(error(end).call().attempts, 0);
  }
}

TEST_F(ExchangeTest, a_token_that_comes_too_late_is_not_sent_with) {
  SimulatedCall exchange = make({.timeout = 100ms});
  static_cast<void>(exchange.next(Go{}, now()));
  elapsed = 100ms;
  const Action end = exchange.next(AccessToken{"t"}, now());
  EXPECT_EQ(error(end).outcome(), Outcome::not_sent);
  ASSERT_TRUE(error(end).get_if<DeadlineExceeded>());
  EXPECT_EQ(error(end).get_if<DeadlineExceeded>()->stage, Stage::token);
  EXPECT_EQ(error(end).message(), "not sent: the call's timeout of 100 ms passed while getting an access token");
}

TEST_F(ExchangeTest, a_token_that_cannot_stand_in_a_header_is_not_sent_and_not_shown) {
  for (const char* token : {"", "canary token", "canary\r\nX-Evil: 1", "canary\n", "canar\xC3\xA5"}) {
    SimulatedCall exchange = make();
    static_cast<void>(exchange.next(Go{}, now()));
    const Action end = exchange.next(AccessToken{token}, now());
    EXPECT_EQ(error(end).outcome(), Outcome::not_sent);
    EXPECT_EQ(error(end).kind(), ErrorKind::token_error);
    EXPECT_EQ(error(end).message().find("canar"), std::string::npos);
    EXPECT_FALSE(error(end).call().sent_at);
  }
}

TEST_F(ExchangeTest, without_a_token_nothing_is_sent_and_its_error_keeps_its_reason) {
  const auto end_of = [&](ErrorDetail detail) {
    SimulatedCall exchange = make();
    static_cast<void>(exchange.next(Go{}, now()));
    return error(exchange.next(NoToken{Error(Outcome::unknown, std::move(detail), "log in again")}, now()));
  };
  EXPECT_EQ(end_of(TokenError{}).kind(), ErrorKind::token_error);
  EXPECT_EQ(end_of(TokenError{}).outcome(), Outcome::not_sent);
  EXPECT_EQ(end_of(TokenError{}).message(), "not sent: no access token: log in again");
  EXPECT_EQ(end_of(Cancelled{Stage::token}).kind(), ErrorKind::cancelled);
  EXPECT_EQ(end_of(DeadlineExceeded{Stage::token}).kind(), ErrorKind::deadline_exceeded);
  EXPECT_EQ(end_of(ServerError{}).kind(), ErrorKind::token_error);
}

TEST_F(ExchangeTest, time_up_is_the_calls_deadline_or_the_attempts) {
  const Failure failure{.stage = Stage::wait, .cause = Cause::timed_out, .body_left = true, .text = "time was up"};
  SimulatedCall call = make({.attempt_timeout = 10s, .timeout = 5s});
  static_cast<void>(send(call));
  elapsed = 5s;
  const Action late = call.next(failure, now());
  EXPECT_EQ(error(late).kind(), ErrorKind::deadline_exceeded);
  EXPECT_EQ(error(late).outcome(), Outcome::unknown);
  EXPECT_EQ(error(late).unknown_attempts(), 1);
  EXPECT_EQ(error(late).message(),
            "outcome unknown: sent 2026-04-01 03:00:07Z, the call's timeout of 5000 ms passed while waiting for the "
            "response. "
            "The server may have acted: verify before retrying");

  SimulatedCall attempt = make({.attempt_timeout = 1s, .timeout = 60s});
  static_cast<void>(send(attempt));
  elapsed += 1s;
  const Action end = attempt.next(failure, now());
  EXPECT_EQ(error(end).kind(), ErrorKind::transport_error);
  EXPECT_EQ(error(end).get_if<TransportError>()->cause, Cause::timed_out);
}

TEST_F(ExchangeTest, what_never_left_has_no_time_of_sending) {
  SimulatedCall exchange = make({}, {.max_attempts = 1});
  static_cast<void>(send(exchange));
  const Action end = exchange.next(Failure{Stage::connect, Cause::unreachable, false, "connection refused"}, now());
  EXPECT_EQ(error(end).outcome(), Outcome::not_sent);
  EXPECT_EQ(error(end).message(), "not sent: connection refused; not tried again: this was attempt 1 of at most 1");
  EXPECT_FALSE(error(end).call().sent_at);
  EXPECT_EQ(error(end).call().attempts, 1);
  EXPECT_EQ(error(end).unknown_attempts(), 0);
}

TEST_F(ExchangeTest, a_response_whose_body_was_truncated_cannot_claim_that_nothing_was_sent) {
  SimulatedCall exchange = make();
  static_cast<void>(send(exchange));
  Response response = ok();
  response.truncated = Failure{Stage::receive, Cause::closed, /*body_left=*/false, "cut"};
  EXPECT_EQ(error(exchange.next(response, now())).outcome(), Outcome::unknown);
}

TEST_F(ExchangeTest, a_429_carries_the_pause_and_the_figures) {
  SimulatedCall exchange = make({}, {.max_attempts = 1});
  static_cast<void>(send(exchange));
  const Action end = exchange.next(Response{.status = 429,
                                            .headers = {{"retry-after", "2"},
                                                        {"X-RateLimit-Remaining", "0"},
                                                        {"X-RateLimit-Reset", "17"},
                                                        {"Date", "Wed, 01 Apr 2026 03:00:00 GMT"},
                                                        {"X-Request-Id", "srv-9"}},
                                            .body = "slow down",
                                            .framed = true,
                                            .truncated = {}},
                                   now());
  EXPECT_EQ(error(end).outcome(), Outcome::rejected);
  EXPECT_EQ(error(end).kind(), ErrorKind::rate_limited);
  EXPECT_EQ(error(end).retry_after(), 2s);
  EXPECT_EQ(error(end).get_if<RateLimited>()->body_excerpt, "slow down");
  EXPECT_EQ(error(end).call().rate_limit_remaining, 0);
  EXPECT_EQ(error(end).call().rate_limit_reset, now().wall + 17s);
  EXPECT_EQ(error(end).call().server_request_id, "srv-9");
  EXPECT_EQ(error(end).call().server_date, Timestamp{1775012400000ms});
  EXPECT_EQ(error(end).message(),
            "rejected: HTTP 429: the body begins slow down; the server asks for a pause of 2000 ms; not tried again: "
            "this was attempt 1 of at most 1");
}

struct Held : http::KeptConnection {};

TEST_F(ExchangeTest, the_repeat_of_a_refusal_goes_out_on_the_connection_that_brought_it) {
  const http::Header challenge{"WWW-Authenticate", "Bearer"};
  const http::Header pause{"Retry-After", "1"};
  for (const int status : {401, 429}) {
    auto connection = std::make_shared<Held>();
    const std::weak_ptr<Held> held = connection;
    SimulatedCall exchange = make();
    EXPECT_FALSE(send(exchange).connection);
    Response refusal = response(status, {status == 401 ? challenge : pause});
    refusal.connection = std::move(connection);
    Action action = exchange.next(std::move(refusal), now());
    EXPECT_FALSE(held.expired());
    if (status == 401) {
      ASSERT_TRUE(std::holds_alternative<GetToken>(action));
      static_cast<void>(exchange.next(AccessToken{"another-token"}, now()));
    } else {
      ASSERT_TRUE(std::holds_alternative<Wait>(action));
      elapsed += 2s;
      static_cast<void>(exchange.next(Go{}, now()));
    }
    action = exchange.next(WrittenDown{}, now());
    EXPECT_EQ(std::get<Send>(action).connection, held.lock());
    std::get<Send>(action).connection.reset();
    EXPECT_TRUE(held.expired()) << "it is kept for the next attempt alone";
  }
}

TEST_F(ExchangeTest, no_connection_is_kept_where_the_call_ends) {
  const std::pair<int, bool> refusals[] = {{400, true}, {401, true}, {429, true}, {503, true}, {200, false}};
  for (const auto& [status, fails] : refusals) {
    auto connection = std::make_shared<Held>();
    const std::weak_ptr<Held> held = connection;
    SimulatedCall exchange = make();
    static_cast<void>(send(exchange));
    Response last = status == 200 ? ok() : response(status);
    last.connection = std::move(connection);
    EXPECT_EQ(std::get<Done>(exchange.next(std::move(last), now())).error.has_value(), fails);
    EXPECT_TRUE(held.expired()) << status;
  }
}

TEST_F(ExchangeTest, a_stray_response_after_a_refusal_tells_of_the_attempt_that_was_refused) {
  SimulatedCall exchange = make();
  static_cast<void>(send(exchange));
  const Timestamp sent = now().wall;
  elapsed = 10ms;
  ASSERT_TRUE(std::holds_alternative<Wait>(exchange.next(response(429, {{"Retry-After", "1"}}), now())));
  elapsed = 2s;
  static_cast<void>(exchange.next(Go{}, now()));
  static_cast<void>(exchange.next(WrittenDown{}, now()));
  const Action end = exchange.next(failure(Stage::send, Cause::stray_response, false), now());
  EXPECT_EQ(error(end).outcome(), Outcome::unknown);
  ASSERT_TRUE(error(end).get_if<TransportError>());
  EXPECT_EQ(error(end).get_if<TransportError>()->stage, Stage::send);
  EXPECT_EQ(error(end).get_if<TransportError>()->cause, Cause::stray_response);
  EXPECT_EQ(error(end).call().sent_at, sent);
  EXPECT_EQ(error(end).call().attempts, 2);
  EXPECT_EQ(error(end).http_status(), 0);
  EXPECT_EQ(error(end).unknown_attempts(), 1);
}

TEST_F(ExchangeTest, each_status_has_its_detail_type) {
  const auto end_of = [&](int status) {
    SimulatedCall exchange = make();
    static_cast<void>(send(exchange));
    return error(exchange.next(Response{.status = status,
                                        .headers = {},
                                        .body = R"({"exceptionType":"E","errorMessage":"m"})",
                                        .framed = true,
                                        .truncated = {}},
                               now()));
  };
  EXPECT_EQ(end_of(400).get_if<BadRequest>()->exception_type, "E");
  EXPECT_EQ(end_of(400).message(), "rejected: HTTP 400: E: m");
  EXPECT_EQ(end_of(401).get_if<Unauthorized>()->error_message, "m");
  EXPECT_TRUE(end_of(403).get_if<Forbidden>());
  EXPECT_TRUE(end_of(429).get_if<RateLimited>());
  EXPECT_TRUE(end_of(404).get_if<Rejected>());
  EXPECT_TRUE(end_of(409).get_if<UnexpectedResponse>());
  EXPECT_TRUE(end_of(500).get_if<ServerError>());
  EXPECT_TRUE(end_of(302).get_if<UnexpectedResponse>());
  EXPECT_TRUE(end_of(200).get_if<UnexpectedResponse>());
  EXPECT_EQ(end_of(500).http_status(), 500);
}

TEST_F(ExchangeTest, a_token_echoed_by_transport_or_server_is_in_no_message) {
  const Failure failure{Stage::wait, Cause::other, true, "bad header: Bearer canary-token"};
  SimulatedCall first = make();
  static_cast<void>(send(first));
  const Action failed = first.next(failure, now());
  EXPECT_EQ(error(failed).message().find("canary"), std::string::npos) << error(failed).message();
  SimulatedCall second = make();
  static_cast<void>(send(second));
  const Action refused = second.next(
      Response{.status = 401, .headers = {}, .body = "canary-token", .framed = true, .truncated = {}}, now());
  EXPECT_EQ(error(refused).message().find("canary"), std::string::npos) << error(refused).message();
  SimulatedCall third = make();
  static_cast<void>(send(third));
  const http::Headers echo{{"X-Request-Id", "id of canary-token"}};
  const Action echoed = third.next(Response{.status = 500, .headers = echo, .framed = true}, now());
  EXPECT_EQ(error(echoed).call().server_request_id, "id of [redacted]");
}

}  // namespace
}  // namespace connectid::detail
