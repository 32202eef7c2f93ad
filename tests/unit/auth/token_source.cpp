// The seam, and client_credentials_source behind it, without sockets.

#include <connectid/connectid.hpp>
#include <connectid/testing/scripted_transport.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace connectid {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::http_response;
using ::testing::Not;

std::string got(const Result<AccessToken>& token) {
  return token ? token->value.reveal() : "error: " + token.error().message();
}

TEST(TokenSource, is_any_function_that_gives_a_token_or_an_error) {
  const auto give = [](const TokenRequest& request) { return AccessToken{request.refused.empty() ? "one" : "two"}; };
  const TokenSource of_tokens = give;
  EXPECT_EQ(got(of_tokens({})), "one");
  EXPECT_EQ(got(of_tokens({.refused = "one"})), "two");
  const TokenSource of_errors = [](const TokenRequest&) { return token_error("none", {.temporary = true}); };
  EXPECT_EQ(got(of_errors({})), "error: none");
  const Error none = of_errors({}).error();
  EXPECT_EQ(none.outcome(), Outcome::not_sent);
  ASSERT_EQ(none.kind(), ErrorKind::token_error);
  EXPECT_TRUE(none.get_if<TokenError>()->temporary);
  EXPECT_FALSE(token_error("none").get_if<TokenError>()->temporary);
}

TEST(TokenSource, a_function_that_is_empty_is_no_source) {
  EXPECT_FALSE(TokenSource());
  EXPECT_FALSE(TokenSource(nullptr));
  EXPECT_FALSE(TokenSource(TokenSource::Function()));
  EXPECT_FALSE(TokenSource().cached());
  EXPECT_TRUE(static_token("t"));
}

TEST(TokenSource, copies_are_one_source) {
  const TokenSource source = [calls = 0](const TokenRequest&) mutable { return AccessToken{std::to_string(++calls)}; };
  const TokenSource copy = source;
  EXPECT_EQ(got(source({})), "1");
  EXPECT_EQ(got(copy({})), "2");
}

TEST(TokenSource, a_look_gives_what_is_there_and_a_function_of_ones_own_keeps_nothing) {
  EXPECT_EQ(static_token("t").cached()->value.reveal(), "t");
  const TokenSource own = [](const TokenRequest&) { return AccessToken{"t"}; };
  EXPECT_FALSE(own.cached());
  EXPECT_TRUE(own.may_block());
  EXPECT_FALSE(static_token("t").may_block());
}

/// Its tokens come when the test says so.
class Slow final : public TokenProvider {
 public:
  std::optional<Result<AccessToken>> get(const TokenRequest&, Handler done) override {
    if (done) waiting = std::move(done);
    return std::nullopt;
  }
  Handler waiting;
};

TEST(TokenSource, a_provider_is_asked_for_what_is_there_and_waited_for) {
  class Late final : public TokenProvider {
   public:
    std::optional<Result<AccessToken>> get(const TokenRequest&, Handler done) override {
      if (done) later = std::jthread([done] { done(AccessToken{"late"}); });
      return std::nullopt;
    }
    std::jthread later;
  };
  const TokenSource source(std::make_shared<Late>());
  EXPECT_EQ(got(source({})), "late");
  EXPECT_FALSE(source.may_block());
  EXPECT_FALSE(source.cached());
  EXPECT_FALSE(TokenSource(std::shared_ptr<TokenProvider>()));
}

TEST(TokenSource, one_who_waits_leaves_at_their_own_deadline_or_stop_and_what_comes_then_harms_nobody) {
  const auto slow = std::make_shared<Slow>();
  const TokenSource source(slow);
  const auto late = source({.deadline = std::chrono::steady_clock::now()});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind(), ErrorKind::deadline_exceeded);
  slow->waiting(AccessToken{"nobody's"});
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = source({.stop = stop.get_token()});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind(), ErrorKind::cancelled);
  slow->waiting(token_error("nobody's"));
}

TEST(TokenSource, a_request_without_a_deadline_has_all_the_time) {
  EXPECT_EQ(TokenRequest{}.deadline, std::chrono::steady_clock::time_point::max());
}

// ---- client_credentials_source

/// One wire carries the requests to the API and those to the authorization server.
class RefreshingSource : public ::testing::Test {
 protected:
  [[nodiscard]] auth::Credentials credentials() const {
    return {.environment = environment, .client_id = "shop", .client_secret = "canary-secret", .transport = wire};
  }
  [[nodiscard]] SubscriptionClient client(TokenSource source) const {
    return SubscriptionClient({.environment = environment, .token_source = std::move(source), .transport = wire});
  }
  void give_token(const std::string& token) const {
    wire->respond(http_response(200, R"({"access_token":"canary-)" + token + R"("})"));
  }
  /// What was sent, in order: `login`, or the bearer that a start had.
  [[nodiscard]] std::vector<std::string> sent() const {
    std::vector<std::string> all;
    for (const auto& request : wire->requests()) {
      const bool to_login = request.url == "https://login.test/user/oauth/token";
      all.push_back(to_login ? "login" : request.authorization.reveal());
    }
    return all;
  }

  const Environment environment = Environment::custom("https://api.test/capi", "https://login.test/user");
  const http::Response started = http_response(200, R"({"status":"OK"})");
  const http::Response refused = http_response(401, "", {{"WWW-Authenticate", R"(Bearer error="invalid_token")"}});
  const StartSubscriptionRequest valid{
      .product = "P", .start_time = Timestamp{1560336440000ms}, .copies = 1, .coupon_code = "C", .coupon_number = 1};
  std::shared_ptr<testing::ScriptedTransport> wire = std::make_shared<testing::ScriptedTransport>();
};

TEST_F(RefreshingSource, asks_the_authorization_server_once_for_many_calls) {
  give_token("1");
  for (int i = 0; i < 3; ++i) wire->respond(started);
  const auto source = auth::client_credentials_source({.credentials = credentials()});
  EXPECT_FALSE(source.cached());
  const auto calls = client(source);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(calls.start(valid));
  EXPECT_THAT(sent(), ElementsAre("login", "Bearer canary-1", "Bearer canary-1", "Bearer canary-1"));
  EXPECT_EQ(source.cached()->value.reveal(), "canary-1");
}

TEST_F(RefreshingSource, a_401_drops_the_token_and_the_start_is_sent_once_more_with_the_next_one) {
  give_token("1");
  wire->respond(refused);
  give_token("2");
  wire->respond(started);
  const auto result = client(auth::client_credentials_source({.credentials = credentials()})).start(valid);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->call.attempts, 2);
  EXPECT_THAT(sent(), ElementsAre("login", "Bearer canary-1", "login", "Bearer canary-2"));
}

TEST_F(RefreshingSource, a_second_401_is_final) {
  give_token("1");
  wire->respond(refused);
  give_token("2");
  wire->respond(refused);
  const auto result = client(auth::client_credentials_source({.credentials = credentials()})).start(valid);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().outcome(), Outcome::rejected);
  EXPECT_EQ(result.error().kind(), ErrorKind::unauthorized);
  EXPECT_THAT(sent(), ElementsAre("login", "Bearer canary-1", "login", "Bearer canary-2"));
}

TEST_F(RefreshingSource, a_401_whose_renewal_failed_for_now_says_so_and_until_when) {
  give_token("1");
  wire->respond(refused);
  wire->respond(http_response(503, ""));
  const auto result = client(auth::client_credentials_source(
                                 {.credentials = credentials(), .renewal = {.retry_policy = {.max_attempts = 1}}}))
                          .start(valid);
  ASSERT_FALSE(result);
  const Error& error = result.error();
  EXPECT_EQ(error.outcome(), Outcome::rejected);
  ASSERT_EQ(error.kind(), ErrorKind::unauthorized);
  ASSERT_TRUE(error.get_if<Unauthorized>()->token_error);
  EXPECT_EQ(error.token_error(), &*error.get_if<Unauthorized>()->token_error);
  EXPECT_TRUE(error.token_error()->temporary);
  EXPECT_FALSE(error.token_error()->log_in_again);
  EXPECT_EQ(error.token_error()->http_status, 503);
  EXPECT_THAT(error.message(), HasSubstr("; renewal put off until 2"));
}

TEST_F(RefreshingSource, a_401_whose_renewal_outlasts_the_call_is_temporary) {
  int asked = 0;
  const TokenSource slow = [&](const TokenRequest& request) -> Result<AccessToken> {
    if (asked++ == 0) return AccessToken{"canary-1"};
    if (request.stop.stop_requested()) return Error(Outcome::not_sent, Cancelled{Stage::token}, "cancelled");
    return Error(Outcome::not_sent, DeadlineExceeded{Stage::token}, "the time was up");
  };
  wire->respond(refused);
  const auto result = client(slow).start(valid);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().outcome(), Outcome::rejected);
  ASSERT_EQ(result.error().kind(), ErrorKind::unauthorized);
  ASSERT_TRUE(result.error().token_error());
  EXPECT_TRUE(result.error().token_error()->temporary);
}

TEST_F(RefreshingSource, a_401_with_another_token_whose_attempt_has_no_connection_is_temporary) {
  give_token("1");
  wire->respond(refused);
  give_token("2");
  const http::Failure unreachable{.stage = Stage::connect, .cause = Cause::unreachable, .body_left = false};
  wire->respond(unreachable);
  const auto source = auth::client_credentials_source({.credentials = credentials()});
  const SubscriptionClient calls(
      {.environment = environment, .token_source = source, .transport = wire, .retry_policy = {.connect_for = 0ms}});
  const auto result = calls.start(valid);
  ASSERT_FALSE(result);
  ASSERT_EQ(result.error().kind(), ErrorKind::unauthorized) << result.error();
  ASSERT_TRUE(result.error().token_error());
  EXPECT_TRUE(result.error().token_error()->temporary);
}

TEST_F(RefreshingSource, a_refused_token_is_given_to_no_later_call_even_where_nothing_is_repeated) {
  give_token("1");
  wire->respond(refused);
  give_token("2");
  wire->respond(started);
  const SubscriptionClient calls({.environment = environment,
                                  .token_source = auth::client_credentials_source({.credentials = credentials()}),
                                  .transport = wire,
                                  .retry_policy = {.max_attempts = 1}});
  EXPECT_FALSE(calls.start(valid));
  EXPECT_THAT(sent(), ElementsAre("login", "Bearer canary-1"));
  EXPECT_TRUE(calls.start(valid));
  EXPECT_THAT(sent(), ElementsAre("login", "Bearer canary-1", "login", "Bearer canary-2"));
}

TEST_F(RefreshingSource, a_function_of_ones_own_is_not_called_for_what_was_refused_at_the_end) {
  int asked = 0;
  const TokenSource own = [&](const TokenRequest&) {
    ++asked;
    return AccessToken{"canary-1"};
  };
  wire->respond(refused);
  const SubscriptionClient calls(
      {.environment = environment, .token_source = own, .transport = wire, .retry_policy = {.max_attempts = 1}});
  EXPECT_FALSE(calls.start(valid));
  EXPECT_EQ(asked, 1);
}

TEST_F(RefreshingSource, a_401_and_a_source_without_another_token_has_no_token_error) {
  wire->respond(refused);
  const auto result = client(static_token("canary-1")).start(valid);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::unauthorized);
  EXPECT_EQ(result.error().token_error(), nullptr) << "a log-in may help";
}

TEST_F(RefreshingSource, a_401_with_another_token_that_is_refused_too_has_no_token_error) {
  give_token("1");
  wire->respond(refused);
  give_token("2");
  wire->respond(refused);
  const auto result = client(auth::client_credentials_source({.credentials = credentials()})).start(valid);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().token_error(), nullptr);
  const Error other(Outcome::not_sent, ConfigurationError{}, "");
  EXPECT_EQ(other.token_error(), nullptr);
  const Error none = token_error("none", {.error = "x"});
  EXPECT_EQ(none.token_error()->error, "x");
}

TEST_F(RefreshingSource, a_renewal_that_fails_after_a_401_leaves_the_call_rejected_and_says_both) {
  give_token("1");
  wire->respond(refused);
  wire->respond(http_response(400, R"({"error":"invalid_client"})"));
  const auto result = client(auth::client_credentials_source({.credentials = credentials()})).start(valid);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().outcome(), Outcome::rejected);
  EXPECT_EQ(result.error().kind(), ErrorKind::unauthorized);
  EXPECT_THAT(result.error().message(), HasSubstr("HTTP 401"));
  EXPECT_THAT(result.error().message(), HasSubstr("HTTP 400: invalid_client"));
  EXPECT_THAT(result.error().message(), Not(HasSubstr("canary")));
}

TEST_F(RefreshingSource, without_a_token_nothing_is_sent_to_the_api) {
  wire->respond(http_response(403, ""));
  const auto result = client(auth::client_credentials_source({.credentials = credentials()})).start(valid);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().outcome(), Outcome::not_sent);
  EXPECT_EQ(result.error().kind(), ErrorKind::token_error);
  EXPECT_EQ(result.error().get_if<TokenError>()->http_status, 403);
  EXPECT_THAT(sent(), ElementsAre("login"));
}

TEST_F(RefreshingSource, its_tokens_go_to_no_other_api) {
  const auto source = auth::client_credentials_source({.credentials = credentials()});
  const SubscriptionClient other(
      {.environment = Environment::custom("https://evil.test/capi", "https://login.test/user"),
       .token_source = source,
       .transport = wire});
  const auto result = other.start(valid);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::token_error);
  EXPECT_THAT(result.error().message(), HasSubstr("are for https://api.test/capi and for no other API"));
  EXPECT_THAT(sent(), ElementsAre());
}

TEST_F(RefreshingSource, credentials_that_cannot_be_used_are_the_error_of_every_call) {
  auth::Credentials without_id = credentials();
  without_id.client_id = {};
  const auto result = client(auth::client_credentials_source({.credentials = without_id})).start(valid);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(), "not sent: no access token: client_id is empty");
  EXPECT_EQ(result.error().kind(), ErrorKind::token_error);
}

TEST_F(RefreshingSource, a_journal_never_sees_a_request_for_a_token) {
  struct Reader final : Journal {
    Result<void> sending(const JournalCall& call, int) override {
      text.append(call.url).append(call.body);
      return {};
    }
    void ended(const JournalCall& call, Outcome) override { text.append(call.url).append(call.body); }
    std::string text;
  };
  const auto journal = std::make_shared<Reader>();
  give_token("1");
  wire->respond(refused);
  give_token("2");
  wire->respond(started);
  const SubscriptionClient client({.environment = environment,
                                   .token_source = auth::client_credentials_source({.credentials = credentials()}),
                                   .transport = wire,
                                   .journal = journal});
  ASSERT_TRUE(client.start(valid));
  EXPECT_THAT(journal->text, HasSubstr("https://api.test/capi/v1/subscription"));
  EXPECT_THAT(journal->text, Not(HasSubstr("canary")));
  EXPECT_THAT(journal->text, Not(HasSubstr("oauth")));
}

}  // namespace
}  // namespace connectid
