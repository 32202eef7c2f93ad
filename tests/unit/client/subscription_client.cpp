#include <gtest/gtest.h>

#include <connectid/connectid.hpp>
#include <connectid/testing/scripted_transport.hpp>

#include <stdexcept>
#include <thread>

#include "support/eventually.hpp"

namespace connectid {
namespace {

using namespace std::chrono_literals;
using testing::http_response;
using testing::ScriptedTransport;

const StartSubscriptionRequest valid{.product = "CO27409",
                                     .start_time = Timestamp{1560336440000ms},
                                     .copies = 1,
                                     .coupon_code = "WMDigi",
                                     .coupon_number = 5223};

class Client : public ::testing::Test {
 protected:
  std::shared_ptr<ScriptedTransport> wire = std::make_shared<ScriptedTransport>();
  ClientOptions options{.environment = Environment::custom("https://api.example/capi/"),
                        .token_source = static_token("canary-token"),
                        .transport = wire};

  Error refused(const CallOptions& call = {}, const StartSubscriptionRequest& request = valid) {
    const auto result = SubscriptionClient(options).start(request, call);
    EXPECT_FALSE(result);
    return result.error();
  }
};

TEST_F(Client, sends_one_post_with_the_documented_headers) {
  wire->respond(http_response(200, R"({"status":"OK"})", {{"X-RateLimit-Remaining", "99"}}));
  options.user_agent = "my-shop/2.1";
  const auto result = SubscriptionClient(options).start(valid, {.call_id = "order-17", .headers = {{"X-Shop", "7"}}});
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->status, "OK");
  EXPECT_EQ(result->call.call_id, "order-17");
  EXPECT_EQ(result->call.rate_limit_remaining, 99);
  EXPECT_EQ(result->call.attempts, 1);
  ASSERT_EQ(wire->requests().size(), 1U);
  const http::Request request = wire->requests().front();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://api.example/capi/v1/subscription");
  EXPECT_EQ(request.authorization.reveal(), "Bearer canary-token");
  EXPECT_EQ(*http::find(request.headers, "Accept"), "application/json");
  EXPECT_EQ(*http::find(request.headers, "Content-Type"), "application/json");
  EXPECT_EQ(*http::find(request.headers, "User-Agent"), "my-shop/2.1 connectid-cpp/" CONNECTID_VERSION);
  EXPECT_EQ(*http::find(request.headers, "X-Request-Id"), "order-17");
  EXPECT_EQ(*http::find(request.headers, "X-Shop"), "7");
  EXPECT_EQ(request.body,
            R"({"product":"CO27409","startTime":1560336440000,"copies":1,"couponCode":"WMDigi","couponNumber":5223})");
}

TEST_F(Client, makes_a_call_id_of_its_own_for_each_call) {
  wire->respond(http_response(200, ""));
  wire->respond(http_response(200, ""));
  const SubscriptionClient client(options);
  const auto first = client.start(valid);
  const auto second = client.start(valid);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->call.call_id.size(), 36U);
  EXPECT_NE(first->call.call_id, second->call.call_id);
}

TEST_F(Client, copies_as_text_changes_the_body_alone) {
  wire->respond(http_response(200, ""));
  options.copies_as_text = true;
  ASSERT_TRUE(SubscriptionClient(options).start(valid));
  EXPECT_NE(wire->requests().front().body.find(R"("copies":"1")"), std::string::npos);
}

TEST_F(Client, a_request_that_is_not_valid_is_not_sent_and_names_every_violation) {
  const Error error = refused({}, {.product = "CO27409", .copies = 0});
  EXPECT_EQ(error.outcome(), Outcome::not_sent);
  EXPECT_EQ(error.kind(), ErrorKind::validation_error);
  ASSERT_TRUE(error.get_if<ValidationError>());
  EXPECT_EQ(error.get_if<ValidationError>()->violations.size(), 4U);
  for (const char* field : {"startTime", "copies", "couponCode", "couponNumber"}) {
    EXPECT_NE(error.message().find(field), std::string::npos) << error.message();
  }
  EXPECT_FALSE(error.call().call_id.empty());
  EXPECT_TRUE(wire->requests().empty());
}

TEST_F(Client, a_url_that_cannot_be_used_is_the_error_of_every_call) {
  for (const char* url :
       {"", "api.example", "http://api.example", "https://u:hunter2@api.example", "https://api.example?x=hunter2"}) {
    options.environment = Environment::custom(url);
    const Error error = refused();
    EXPECT_EQ(error.kind(), ErrorKind::configuration_error) << url;
    EXPECT_EQ(error.outcome(), Outcome::not_sent);
    EXPECT_EQ(error.message().find("hunter2"), std::string::npos);
  }
  options.environment = Environment::custom("https://api.example", "http://login.example");
  EXPECT_NE(refused().message().find("login URL"), std::string::npos);
  EXPECT_TRUE(wire->requests().empty());
}

TEST_F(Client, without_a_token_source_nothing_is_sent) {
  options.token_source = nullptr;
  EXPECT_EQ(refused().kind(), ErrorKind::configuration_error);
  EXPECT_TRUE(wire->requests().empty());
}

TEST_F(Client, headers_that_would_forge_or_replace_are_refused) {
  for (const http::Header& header : http::Headers{{"Authorization", "x"},
                                                  {"authorization", "x"},
                                                  {"Content-Length", "0"},
                                                  {"X-Request-Id", "x"},
                                                  {"Expect", "100-continue"},
                                                  {"X-A", "b\r\nEvil: 1"},
                                                  {"X A", "b"},
                                                  {"", "b"}}) {
    const Error error = refused({.headers = {header}});
    EXPECT_EQ(error.kind(), ErrorKind::configuration_error) << header.name;
    EXPECT_EQ(error.outcome(), Outcome::not_sent);
  }
  EXPECT_EQ(refused({.call_id = "a b"}).kind(), ErrorKind::configuration_error);
  EXPECT_EQ(refused({.call_id = std::string(129, 'x')}).kind(), ErrorKind::configuration_error);
  options.user_agent = "a\r\nb";
  EXPECT_EQ(refused().kind(), ErrorKind::configuration_error);
  EXPECT_TRUE(wire->requests().empty());
}

TEST_F(Client, a_token_source_that_fails_or_throws_sends_nothing) {
  options.token_source = [](const TokenRequest&) -> Result<AccessToken> { return token_error("log in"); };
  EXPECT_EQ(refused().message(), "not sent: no access token: log in");
  options.token_source = [](const TokenRequest&) -> Result<AccessToken> { throw std::runtime_error("canary-secret"); };
  EXPECT_EQ(refused().kind(), ErrorKind::token_error);
  EXPECT_EQ(refused().message().find("canary"), std::string::npos);
  options.token_source = [](const TokenRequest&) -> Result<AccessToken> { throw 7; };
  EXPECT_EQ(refused().outcome(), Outcome::not_sent);
  EXPECT_TRUE(wire->requests().empty());
}

TEST_F(Client, a_token_source_is_told_the_deadline_and_the_stop) {
  std::stop_source stop;
  options.token_source = [&](const TokenRequest& request) -> Result<AccessToken> {
    EXPECT_LE(request.deadline, std::chrono::steady_clock::now() + 5s);
    stop.request_stop();
    EXPECT_TRUE(request.stop.stop_requested());
    return AccessToken{"t"};
  };
  const Error error = refused({.timeout = 5s, .stop_token = stop.get_token()});
  EXPECT_EQ(error.kind(), ErrorKind::cancelled);
  EXPECT_EQ(error.outcome(), Outcome::not_sent);
  EXPECT_EQ(error.call().attempts, 0);
  EXPECT_TRUE(wire->requests().empty());
}

TEST_F(Client, a_token_source_is_told_where_its_token_goes) {
  std::string told;
  options.token_source = [&](const TokenRequest& request) -> Result<AccessToken> {
    told = request.api_url;
    return AccessToken{"t"};
  };
  wire->respond(http_response(200, ""));
  ASSERT_TRUE(SubscriptionClient(options).start(valid));
  EXPECT_EQ(told, options.environment.api_url());
}

TEST_F(Client, a_call_may_bring_its_own_token_and_with_gives_a_handle_for_another_customer) {
  options.token_source = static_token("of-the-client");
  const SubscriptionClient client(options);
  const SubscriptionClient of_kari = client.with(static_token("of-kari"));
  for (int i = 0; i < 4; ++i) wire->respond(http_response(200, ""));
  ASSERT_TRUE(of_kari.start(valid));
  ASSERT_TRUE(of_kari.start(valid, {.token_source = static_token("of-this-call")}));
  ASSERT_TRUE(client.start(valid, {.token_source = static_token("of-this-call")}));
  ASSERT_TRUE(client.start(valid));
  std::vector<std::string> sent;
  for (const auto& request : wire->requests()) sent.push_back(request.authorization.reveal());
  EXPECT_EQ(sent, (std::vector<std::string>{"Bearer of-kari", "Bearer of-this-call", "Bearer of-this-call",
                                            "Bearer of-the-client"}));
}

TEST_F(Client, a_client_without_a_token_source_serves_calls_that_have_one) {
  options.token_source = nullptr;
  const SubscriptionClient client(options);
  wire->respond(http_response(200, ""));
  EXPECT_EQ(refused().kind(), ErrorKind::configuration_error);
  EXPECT_EQ(client.with(nullptr).start(valid).error().kind(), ErrorKind::configuration_error);
  EXPECT_TRUE(client.start(valid, {.token_source = static_token("t")}));
}

TEST_F(Client, the_detail_of_a_token_error_reaches_the_caller) {
  options.token_source = [](const TokenRequest&) -> Result<AccessToken> {
    return token_error("x", {.error = "invalid_grant", .http_status = 400, .log_in_again = true});
  };
  const Error error = refused();
  ASSERT_TRUE(error.get_if<TokenError>());
  EXPECT_EQ(error.get_if<TokenError>()->error, "invalid_grant");
  EXPECT_EQ(error.get_if<TokenError>()->http_status, 400);
  EXPECT_TRUE(error.get_if<TokenError>()->log_in_again);
  EXPECT_EQ(error.http_status(), 0) << "of the API there is no response";
}

TEST_F(Client, a_call_that_is_cancelled_before_it_begins_asks_for_no_token) {
  std::stop_source stop;
  stop.request_stop();
  options.token_source = [](const TokenRequest&) -> Result<AccessToken> {
    ADD_FAILURE() << "a token was asked for";
    return AccessToken{"t"};
  };
  EXPECT_EQ(refused({.stop_token = stop.get_token()}).kind(), ErrorKind::cancelled);
}

TEST_F(Client, a_transport_that_throws_may_have_sent) {
  struct Throwing final : http::Transport {
    http::AttemptResult perform(const http::Request&, const http::Limits&) override {
      throw std::runtime_error("with canary-token in it");
    }
  };
  options.transport = std::make_shared<Throwing>();
  const Error error = refused();
  EXPECT_EQ(error.outcome(), Outcome::unknown);
  EXPECT_EQ(error.kind(), ErrorKind::transport_error);
  EXPECT_EQ(error.message().find("canary"), std::string::npos) << error.message();
}

TEST_F(Client, the_calls_times_reach_the_transport) {
  struct Timed final : http::Transport {
    http::AttemptResult perform(const http::Request&, const http::Limits& limits) override {
      left = limits.deadline - std::chrono::steady_clock::now();
      connect = limits.connect_timeout;
      return http_response(200, "");
    }
    std::chrono::steady_clock::duration left{};
    std::chrono::milliseconds connect{};
  };
  const auto timed = std::make_shared<Timed>();
  options.transport = timed;
  options.timeouts.connect = 77ms;
  ASSERT_TRUE(SubscriptionClient(options).start(valid, {.timeout = 100s, .attempt_timeout = 50s}));
  EXPECT_LE(timed->left, 50s);
  EXPECT_GT(timed->left, 40s);
  EXPECT_EQ(timed->connect, 77ms);

  const Timeouts own{.connect = 33ms, .attempt_timeout = 300s, .timeout = 600s};
  ASSERT_TRUE(SubscriptionClient(options).start(valid, {.timeouts = own}));
  EXPECT_GT(timed->left, 200s);
  EXPECT_EQ(timed->connect, 33ms);
  ASSERT_TRUE(SubscriptionClient(options).start(valid, {.attempt_timeout = 50s, .timeouts = own}));
  EXPECT_LE(timed->left, 50s);
  ASSERT_TRUE(SubscriptionClient(options).start(valid, {.timeout = 20s, .timeouts = own}));
  EXPECT_LE(timed->left, 20s);
  EXPECT_EQ(timed->connect, 33ms);
}

TEST_F(Client, submit_of_a_transport_that_only_performs_calls_back_once) {
  wire->respond(http_response(404, "x"));
  int calls = 0;
  wire->submit({.method = "GET", .url = "https://h", .headers = {}, .authorization = {}, .body = {}}, {},
               [&](http::AttemptResult attempt) {
                 ++calls;
                 EXPECT_EQ(std::get<http::Response>(attempt).status, 404);
               });
  EXPECT_EQ(calls, 1);
}

// ---- repeats

TEST_F(Client, a_429_is_waited_for_and_sent_again) {
  wire->respond(http_response(429, "", {{"Retry-After", "0"}}));
  wire->respond(http_response(200, R"({"status":"OK"})"));
  const auto result = SubscriptionClient(options).start(valid);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->call.attempts, 2);
  EXPECT_EQ(wire->requests().size(), 2U);
}

TEST_F(Client, one_attempt_means_one_request) {
  wire->respond(http_response(429, "", {{"Retry-After", "0"}}));
  options.retry_policy = {.max_attempts = 1};
  EXPECT_EQ(refused().kind(), ErrorKind::rate_limited);
  EXPECT_EQ(wire->requests().size(), 1U);
}

TEST_F(Client, a_call_may_bring_its_own_policy_and_shares_budget_and_circuit_breaker_all_the_same) {
  for (int i = 0; i < 2; ++i) wire->respond(http_response(429, "", {{"Retry-After", "0"}}));
  wire->respond(http_response(200, ""));
  options.retry_policy = {.max_attempts = 1, .break_circuit_after = 1};
  const SubscriptionClient client(options);
  EXPECT_FALSE(client.start(valid, {.retry_policy = RetryPolicy{.max_attempts = 1}}));
  const auto repeated = client.start(valid, {.retry_policy = RetryPolicy{.max_attempts = 2}});
  ASSERT_TRUE(repeated) << repeated.error();
  EXPECT_EQ(repeated->call.attempts, 2);

  const RetryPolicy own{.max_attempts = 9, .budget = 9, .repeat_unknown_starts = true, .break_circuit_after = 0};
  wire->respond(http_response(503, ""));
  wire->respond(http_response(503, ""));
  EXPECT_EQ(client.start(valid).error().kind(), ErrorKind::server_error);
  EXPECT_EQ(client.start(valid, {.retry_policy = own}).error().kind(), ErrorKind::circuit_open);

  options.retry_policy = {.budget = 0, .break_circuit_after = 0};
  EXPECT_EQ(SubscriptionClient(options).start(valid, {.retry_policy = own}).error().unknown_attempts(), 1);
}

TEST_F(Client, a_token_that_was_refused_is_told_to_the_source_and_another_one_sent_once) {
  std::vector<std::string> told;
  options.token_source = [&](const TokenRequest& request) -> Result<AccessToken> {
    told.push_back(request.refused.reveal());
    return AccessToken{request.refused.empty() ? "old-token" : "new-token"};
  };
  wire->respond(http_response(401, "", {{"WWW-Authenticate", "Bearer"}}));
  wire->respond(http_response(200, ""));
  ASSERT_TRUE(SubscriptionClient(options).start(valid));
  EXPECT_EQ(told, (std::vector<std::string>{"", "old-token"}));
  EXPECT_EQ(wire->requests()[1].authorization.reveal(), "Bearer new-token");
}

TEST_F(Client, a_pause_ends_with_a_requested_stop) {
  std::stop_source stop;
  wire->respond(http_response(429, "", {{"Retry-After", "30"}}));
  std::jthread stopper([&] {
    EXPECT_TRUE(eventually([&] { return !wire->requests().empty(); }));
    stop.request_stop();
  });
  const auto began = std::chrono::steady_clock::now();
  const Error error = refused({.stop_token = stop.get_token()});
  EXPECT_LT(std::chrono::steady_clock::now() - began, 20s) << "it waited for the pause";
  EXPECT_EQ(error.outcome(), Outcome::rejected);
  EXPECT_NE(error.message().find("HTTP 429"), std::string::npos) << error.message();
  EXPECT_EQ(wire->requests().size(), 1U);
}

TEST_F(Client, a_pause_that_would_pass_the_deadline_ends_the_call_at_once) {
  wire->respond(http_response(429, "", {{"Retry-After", "30"}}));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(refused({.timeout = 25s}).kind(), ErrorKind::rate_limited);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 20s) << "it waited for the deadline";
}

// ---- the journal

/// Remembers what it was told, and does as it is bidden.
struct Notes final : Journal {
  Result<void> sending(const JournalCall& call, int attempt) override {
    lines.push_back("sending " + std::string(call.call_id) + " " + std::to_string(attempt));
    body = call.body;
    url = call.url;
    requests_before = wire->requests().size();
    if (throws) throw std::runtime_error("disk full");
    if (refuses) return Error(Outcome::unknown, ConfigurationError{}, "no space left on the disk");
    return {};
  }
  void ended(const JournalCall& call, Outcome outcome) override {
    lines.push_back("ended " + std::string(call.call_id) + " " + std::string(to_string(outcome)));
    if (throws) throw 7;
  }
  explicit Notes(std::shared_ptr<ScriptedTransport> transport) : wire(std::move(transport)) {}

  std::shared_ptr<ScriptedTransport> wire;
  std::vector<std::string> lines;
  std::string body, url;
  std::size_t requests_before = 0;
  bool refuses = false;
  bool throws = false;
};

class WrittenDownClient : public Client {
 protected:
  WrittenDownClient() { options.journal = notes; }
  using Lines = std::vector<std::string>;
  std::shared_ptr<Notes> notes = std::make_shared<Notes>(wire);
};

TEST_F(WrittenDownClient, each_attempt_is_written_down_before_it_leaves_and_the_outcome_after) {
  wire->respond(http_response(429, "", {{"Retry-After", "0"}}));
  wire->respond(http_response(200, ""));
  ASSERT_TRUE(SubscriptionClient(options).start(valid, {.call_id = "c1"}));
  EXPECT_EQ(notes->lines, (Lines{"sending c1 1", "sending c1 2", "ended c1 succeeded"}));
  EXPECT_EQ(notes->requests_before, 1U) << "the second attempt left before it was written down";
  EXPECT_EQ(notes->url, "https://api.example/capi/v1/subscription");
  EXPECT_EQ(notes->body, wire->requests().front().body);
}

TEST_F(WrittenDownClient, a_journal_that_refuses_or_throws_sends_nothing_and_is_told_the_end) {
  notes->refuses = true;
  const Error error = refused({.call_id = "c1"});
  EXPECT_EQ(error.outcome(), Outcome::not_sent);
  EXPECT_EQ(error.kind(), ErrorKind::journal_refused);
  EXPECT_EQ(error.message(), "not sent: no space left on the disk");
  EXPECT_FALSE(error.call().sent_at);
  EXPECT_EQ(notes->lines, (Lines{"sending c1 1", "ended c1 not_sent"}));
  notes->throws = true;
  EXPECT_EQ(refused().message(), "not sent: the journal threw an exception: disk full");
  EXPECT_TRUE(wire->requests().empty());
}

TEST_F(WrittenDownClient, a_journal_that_throws_at_the_end_changes_no_outcome) {
  struct Late final : Journal {
    Result<void> sending(const JournalCall&, int) override { return {}; }
    void ended(const JournalCall&, Outcome) override { throw std::runtime_error("disk full"); }
  };
  options.journal = std::make_shared<Late>();
  wire->respond(http_response(200, ""));
  EXPECT_TRUE(SubscriptionClient(options).start(valid));
}

TEST_F(WrittenDownClient, what_is_not_valid_or_has_no_token_is_not_written_down) {
  EXPECT_EQ(refused({}, {}).kind(), ErrorKind::validation_error);
  options.token_source = static_token("");
  EXPECT_EQ(refused().kind(), ErrorKind::token_error);
  EXPECT_TRUE(notes->lines.empty());
}

TEST_F(WrittenDownClient, a_journal_that_takes_past_the_deadline_sends_nothing) {
  struct Slow final : Journal {
    Result<void> sending(const JournalCall&, int) override {
      std::this_thread::sleep_for(timeout);  // the call began before
      return {};
    }
    void ended(const JournalCall&, Outcome outcome) override { last = outcome; }
    const std::chrono::milliseconds timeout = 1s;
    Outcome last = Outcome::succeeded;
  };
  const auto slow = std::make_shared<Slow>();
  options.journal = slow;
  EXPECT_EQ(refused({.timeout = slow->timeout}).kind(), ErrorKind::deadline_exceeded);
  EXPECT_EQ(slow->last, Outcome::not_sent);
  EXPECT_TRUE(wire->requests().empty());
}

TEST(EnvironmentUrls, are_the_documented_ones) {
  EXPECT_EQ(Environment::production().api_url(), "https://api.mediaconnect.no/capi");
  EXPECT_EQ(Environment::production().login_url(), "https://connectid.no/user");
  EXPECT_EQ(Environment::sweden().api_url(), "https://api.mediaconnect.no/capi");
  EXPECT_EQ(Environment::sweden().login_url(), "https://connectid.se/user");
  EXPECT_EQ(Environment::test().api_url(), "https://api-test.mediaconnect.no/capi");
  EXPECT_EQ(Environment::test().login_url(), "https://api-test.mediaconnect.no/login");
}

}  // namespace
}  // namespace connectid
