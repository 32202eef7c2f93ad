// One renewal, between the store and an authorization server that is scripted.

#include "auth/renewal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <connectid/auth/file_token_store.hpp>
#include <connectid/auth/oauth_sources.hpp>
#include <connectid/testing/scripted_transport.hpp>
#include <functional>
#include <semaphore>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/disk.hpp"
#include "support/eventually.hpp"
#include "support/temporary_directory.hpp"

namespace connectid::detail {
namespace {

using namespace auth;

using namespace std::chrono_literals;
using connectid::testing::http_response;
using connectid::testing::ScriptedTransport;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Timestamp now{1775012407123ms};

http::Failure failure(Stage stage, Cause cause, bool body_left) {
  return {
      .stage = stage, .cause = cause, .body_left = body_left, .text = "the wire says " + std::string(to_string(cause))};
}
const http::Failure lost = failure(Stage::wait, Cause::closed, true);
const http::Failure refused_connection = failure(Stage::connect, Cause::unreachable, false);

http::Response rotated(const std::string& more = R"(,"expires_in":3600)") {
  return http_response(200, R"({"access_token":"canary-access-2","refresh_token":"canary-refresh-2")" + more + "}");
}
http::Response oauth_error(int status, const std::string& error, const std::string& description = {}) {
  return http_response(status, R"({"error":")" + error + R"(","error_description":")" + description + R"("})");
}

std::string message_of(const Result<void>& result) { return result ? "" : result.error().message(); }

/// Fails to save another token than it has, or throws, as often as it is told; or fails always.
class FailingStore final : public TokenStore {
 public:
  Result<std::optional<StoredToken>> load(const std::string& account) override {
    if (load_error) return *load_error;
    return memory.load(account);
  }
  Result<void> save(const std::string& account, const StoredToken& token) override {
    ++saves;
    const auto kept = memory.load(account);
    const bool is_new = !*kept || (*kept)->access_token != token.access_token || (*kept)->refused != token.refused;
    if (is_new && throws-- > 0) throw std::runtime_error("canary-in-what");
    if (is_read_only || (is_new && failures-- > 0)) return save_error;
    load_error.reset();
    return memory.save(account, token);
  }
  Result<void> remove(const std::string& account) override { return memory.remove(account); }
  Result<Lock> lock(const std::string& account, const LockRequest& request) override {
    if (lock_error) return *lock_error;
    return memory.lock(account, request);
  }

  MemoryTokenStore memory;
  std::optional<Error> load_error, lock_error;
  Error save_error{Outcome::not_sent, TokenError{}, "no space left on the disk"};
  bool is_read_only = false;
  int failures = 0;
  int throws = 0;
  int saves = 0;
};

/// A StoreRenewer and the one account that it renews here.
class Refresher {
 public:
  Refresher(Grant grant, SourceOptions&& options)
      : renewer(grant, options.credentials, options.store, options.renewal), account(options.account) {}
  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;
  ~Refresher() {
    if (const auto error = renewer.save_at_the_end(account, standing)) lost = error->message();
  }

  Renewed renew(const Secret& worn_out, const std::stop_token& leaving) {
    return renewer.renew(account, standing, worn_out, now, leaving);
  }
  [[nodiscard]] Result<void> check_api(std::string_view api_url) const { return renewer.check(account, api_url); }

  StoreRenewer renewer;
  std::string account;
  Standing standing;
  inline static std::string lost;  ///< why the last one's end could not save
};

class RefresherTest : public ::testing::Test {
 protected:
  [[nodiscard]] Credentials credentials() const {
    return {.environment = Environment::custom("https://api.test/capi", "https://login.test/user"),
            .client_id = "shop",
            .client_secret = "canary-client-secret",
            .transport = wire};
  }
  [[nodiscard]] Refresher make(Grant grant = Grant::refresh_token) const { return make(credentials(), grant); }
  [[nodiscard]] Refresher make(Credentials with, Grant grant = Grant::refresh_token) const {
    return make({.retry_policy = {.first_pause = 0ms, .connect_for = 75ms}}, grant, std::move(with));
  }
  [[nodiscard]] Refresher make(Renewal renewal, Grant grant = Grant::refresh_token) const {
    return make(renewal, grant, credentials());
  }
  [[nodiscard]] Refresher make(Renewal renewal, Grant grant, Credentials with) const {
    return {grant, {.credentials = std::move(with), .store = store, .account = "anna", .renewal = renewal}};
  }

  [[nodiscard]] static StoredToken stored(Timestamp expires_at = now - 1s) {
    return {.access_token = "canary-access-1",
            .obtained_at = now - 12h,
            .expires_at = expires_at,
            .refresh_token = "canary-refresh-1",
            .api_url = "https://api.test/capi",
            .login_url = "https://login.test/user",
            .client_id = "shop"};
  }
  [[nodiscard]] static StoredToken stored_for(Grant grant, Timestamp expires_at = now - 1s) {
    StoredToken token = stored(expires_at);
    if (grant == Grant::client_credentials) token.refresh_token = {};
    return token;
  }
  void save(const StoredToken& token) const { ASSERT_TRUE(store->memory.save("anna", token)); }
  [[nodiscard]] StoredToken in_store() const { return store->memory.load("anna")->value_or(StoredToken{}); }

  /// The access token, or the error; an error's texts are searched for secrets.
  std::string renew(Refresher& refresher, const Secret& worn_out = {}, const std::stop_token& leaving = {}) {
    const auto renewed = refresher.renew(worn_out, leaving);
    if (const auto* token = std::get_if<StoredToken>(&renewed)) return token->access_token.reveal();
    const auto& not_renewed = std::get<NotRenewed>(renewed);
    last = not_renewed.error;
    pause = not_renewed.pause;
    backs_off = not_renewed.backs_off;
    const auto* detail = last->get_if<TokenError>();
    std::ostringstream printed;
    printed << *last;
    if (detail) printed << detail->error << detail->error_description;
    EXPECT_THAT(printed.str(), Not(HasSubstr("canary")));
    return last->message();
  }
  /// It has a new refresh token that the store has not taken.
  void hold_in_memory(Refresher& refresher);
  [[nodiscard]] const TokenError& detail() const { return *last->get_if<TokenError>(); }
  [[nodiscard]] std::vector<std::string> bodies() const {
    std::vector<std::string> all;
    for (const auto& request : wire->requests()) all.push_back(request.body);
    return all;
  }

  std::shared_ptr<ScriptedTransport> wire = std::make_shared<ScriptedTransport>();
  std::shared_ptr<FailingStore> store = std::make_shared<FailingStore>();
  std::optional<Error> last;
  std::optional<std::chrono::milliseconds> pause;
  bool backs_off = false;
};

/// Nobody waits any longer.
std::stop_token left() {
  std::stop_source stop;
  stop.request_stop();
  return stop.get_token();
}

void RefresherTest::hold_in_memory(Refresher& refresher) {
  save(stored());
  store->failures = 1;
  wire->respond(rotated());
  EXPECT_THAT(renew(refresher, {}, left()), HasSubstr("held in memory"));
}

const std::string refresh_body = "grant_type=refresh_token&refresh_token=canary-refresh-1";

// ---- what is sent

TEST_F(RefresherTest, a_refresh_is_a_form_with_basic_authentication_and_nothing_in_the_url) {
  save(stored());
  wire->respond(rotated());
  Refresher refresher = make();
  EXPECT_EQ(renew(refresher), "canary-access-2");
  const http::Request request = wire->requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://login.test/user/oauth/token");
  EXPECT_EQ(*http::find(request.headers, "Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(*http::find(request.headers, "Accept"), "application/json");
  EXPECT_EQ(request.authorization.reveal(), "Basic c2hvcDpjYW5hcnktY2xpZW50LXNlY3JldA==");
  EXPECT_EQ(request.body, refresh_body);
}

TEST_F(RefresherTest, authentication_in_the_body_is_chosen_and_basic_is_not_tried_as_well) {
  save(stored());
  wire->respond(oauth_error(401, "invalid_client"));
  Credentials in_body = credentials();
  in_body.client_authentication = ClientAuthentication::body;
  Refresher refresher = make(in_body);
  renew(refresher);
  EXPECT_THAT(bodies(), ElementsAre(refresh_body + "&client_id=shop&client_secret=canary-client-secret"));
  EXPECT_TRUE(wire->requests().at(0).authorization.empty());
}

TEST_F(RefresherTest, a_public_client_says_its_id_in_the_body) {
  for (const auto authentication : {ClientAuthentication::basic, ClientAuthentication::body}) {
    save(stored());
    wire->respond(rotated());
    Credentials without_secret = credentials();
    without_secret.client_secret = {};
    without_secret.client_authentication = authentication;
    Refresher refresher = make(without_secret);
    renew(refresher);
    EXPECT_EQ(wire->requests().back().body, refresh_body + "&client_id=shop");
    EXPECT_TRUE(wire->requests().back().authorization.empty());
  }
}

TEST_F(RefresherTest, client_credentials_need_no_stored_token_and_keep_no_refresh_token) {
  wire->respond(rotated());
  Refresher refresher = make(Grant::client_credentials);
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_THAT(bodies(), ElementsAre("grant_type=client_credentials"));
  EXPECT_EQ(in_store().access_token.reveal(), "canary-access-2");
  EXPECT_TRUE(in_store().refresh_token.empty());
}

// ---- what is kept

TEST_F(RefresherTest, the_new_tokens_and_whose_they_are_stand_in_the_store) {
  save(stored());
  wire->respond(rotated());
  Refresher refresher = make();
  renew(refresher);
  EXPECT_EQ(in_store().access_token.reveal(), "canary-access-2");
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-2");
  EXPECT_EQ(in_store().obtained_at, now);
  EXPECT_EQ(in_store().expires_at, now + 1h);
  EXPECT_EQ(in_store().api_url, "https://api.test/capi");
  EXPECT_EQ(in_store().login_url, "https://login.test/user");
  EXPECT_EQ(in_store().client_id, "shop");
}

TEST_F(RefresherTest, where_the_authorization_server_does_not_rotate_the_refresh_token_stays) {
  save(stored());
  wire->respond(http_response(200, R"({"access_token":"canary-access-2"})"));
  Refresher refresher = make();
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-1");
  EXPECT_EQ(in_store().expires_at, now + 12h);
}

TEST_F(RefresherTest, a_token_that_somebody_else_put_into_the_store_is_taken_without_a_request) {
  save(stored(now + 1h));
  Refresher refresher = make();
  EXPECT_EQ(renew(refresher), "canary-access-1");
  EXPECT_EQ(renew(refresher, "an-older-one"), "canary-access-1");
  EXPECT_THAT(bodies(), ElementsAre());
  wire->respond(rotated());
  EXPECT_EQ(renew(refresher, "canary-access-1"), "canary-access-2") << "worn out, although it lives";
}

TEST_F(RefresherTest, a_token_that_the_store_cannot_keep_is_not_used_and_saved_later_without_a_request) {
  save(stored());
  store->failures = 2;
  wire->respond(rotated());
  Refresher refresher = make();
  EXPECT_THAT(renew(refresher, {}, left()),
              HasSubstr("which is held in memory until it can: no space left on the disk"));
  EXPECT_TRUE(detail().temporary);
  EXPECT_THAT(renew(refresher, {}, left()), HasSubstr("no space left on the disk"));
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-1");
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-2");
  EXPECT_THAT(bodies(), ElementsAre(refresh_body)) << "it was spent once";
}

TEST_F(RefresherTest, a_store_that_throws_loses_no_token) {
  save(stored());
  store->throws = 1;
  wire->respond(rotated());
  Refresher refresher = make();
  EXPECT_THAT(renew(refresher, {}, left()), HasSubstr("it was broken off by an exception"));
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_THAT(bodies(), ElementsAre(refresh_body));
}

TEST_F(RefresherTest, a_save_that_fails_is_tried_again_while_there_is_time) {
  save(stored());
  store->failures = 2;
  wire->respond(rotated());
  Refresher refresher = make();
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_EQ(store->saves, 4) << "the old one once, to know that the store works";
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-2");
}

TEST_F(RefresherTest, files_that_the_disk_does_not_take_are_tried_again) {
  const TemporaryDirectory directory;
  const auto files = std::make_shared<FileTokenStore>(directory / "tokens");
  ASSERT_TRUE(files->save("anna", stored()));
  int failures = 2;
  const Disk failing([&](int) { return !bodies().empty() && failures-- > 0 ? (errno = ENOSPC, -1) : 0; });
  wire->respond(rotated());
  Refresher refresher(Grant::refresh_token, {.credentials = credentials(), .store = files, .account = "anna"});
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_LT(failures, 0);
  EXPECT_EQ(files->load("anna").value()->refresh_token.reveal(), "canary-refresh-2");
}

TEST_F(RefresherTest, a_store_that_is_set_up_wrongly_is_not_tried_again_and_nothing_that_passes) {
  const Error others_may_read(Outcome::not_sent, ConfigurationError{}, "others may read it");
  save(stored());
  store->failures = 1;
  store->save_error = others_may_read;
  wire->respond(rotated());
  Refresher refresher = make();
  EXPECT_THAT(renew(refresher), HasSubstr("others may read it"));
  EXPECT_FALSE(detail().temporary);
  EXPECT_EQ(store->saves, 2);
  store->lock_error = others_may_read;
  EXPECT_EQ(renew(refresher), "canary-access-2") << "the token that was held in memory has its lock";
  EXPECT_THAT(renew(refresher, "canary-access-2"), HasSubstr("the store's lock was not had: others may read it"));
  EXPECT_FALSE(detail().temporary);
  store->lock_error.reset();
}

TEST_F(RefresherTest, its_end_saves_what_the_store_had_not_taken) {
  save(stored());
  store->failures = 1;
  wire->respond(rotated());
  {
    Refresher refresher = make();
    EXPECT_THAT(renew(refresher, {}, left()), HasSubstr("no space left on the disk"));
    EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-1");
  }
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-2");
}

TEST_F(RefresherTest, its_end_overwrites_nothing_that_somebody_else_has_saved_and_throws_nothing) {
  for (const bool also_throws : {false, true}) {
    save(stored());
    store->failures = 1;
    wire->respond(rotated());
    {
      Refresher refresher = make();
      renew(refresher, {}, left());
      StoredToken other = stored(now + 1h);
      other.refresh_token = also_throws ? "canary-refresh-1" : "canary-refresh-9";
      save(other);
      if (also_throws) store->throws = 1;
    }
    EXPECT_EQ(in_store().refresh_token.reveal(), also_throws ? "canary-refresh-1" : "canary-refresh-9");
  }
}

TEST_F(RefresherTest, a_token_held_in_memory_is_saved_over_nothing_that_cannot_be_read) {
  Refresher refresher = make();
  hold_in_memory(refresher);
  store->load_error = Error(Outcome::not_sent, TokenError{}, "the disk does not read");
  const int saves = store->saves;
  EXPECT_THAT(renew(refresher), HasSubstr("the disk does not read"));
  EXPECT_EQ(store->saves, saves) << "somebody else's could be there";
  store->load_error.reset();
  EXPECT_EQ(renew(refresher), "canary-access-2");
}

TEST_F(RefresherTest, a_token_held_in_memory_outlives_what_the_store_has_lost) {
  Refresher refresher = make();
  hold_in_memory(refresher);
  store->load_error = Error(Outcome::not_sent, TokenError{.log_in_again = true}, "the file is broken");
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-2");
}

TEST_F(RefresherTest, what_client_credentials_bring_is_used_even_where_it_cannot_be_saved) {
  store->failures = 2;
  for (int i = 0; i < 2; ++i) wire->respond(rotated());
  {
    Refresher refresher = make(Grant::client_credentials);
    EXPECT_EQ(renew(refresher), "canary-access-2");
    EXPECT_EQ(renew(refresher), "canary-access-2");
  }
  EXPECT_EQ(store->saves, 2) << "and is not saved behind a logout";
}

TEST_F(RefresherTest, a_stored_token_that_is_about_to_end_is_not_handed_out) {
  Refresher refresher = make();
  save(stored(now + 30s + 1ms));
  EXPECT_EQ(renew(refresher), "canary-access-1");
  save(stored(now + 30s));
  wire->respond(rotated());
  EXPECT_EQ(renew(refresher), "canary-access-2");
}

TEST_F(RefresherTest, a_token_held_in_memory_gives_way_to_one_that_somebody_else_has_put_into_the_store) {
  Refresher refresher = make();
  hold_in_memory(refresher);
  StoredToken other = stored(now + 1h);
  other.access_token = "canary-access-9";
  other.refresh_token = "canary-refresh-9";
  save(other);
  EXPECT_EQ(renew(refresher), "canary-access-9");
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-9");
}

TEST_F(RefresherTest, a_new_refresh_token_is_kept_even_where_the_rest_of_the_response_is_of_no_use) {
  save(stored());
  wire->respond(rotated(R"(,"expires_in":-5)"));
  Refresher refresher = make();
  EXPECT_THAT(renew(refresher), HasSubstr("expires_in"));
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-2");
  wire->respond(http_response(200, R"({"access_token":"canary-access-3"})"));
  EXPECT_EQ(renew(refresher), "canary-access-3");
  EXPECT_EQ(bodies().back(), "grant_type=refresh_token&refresh_token=canary-refresh-2");
}

// ---- lost responses

TEST_F(RefresherTest, a_refresh_whose_response_was_lost_is_tried_once_more_with_the_same_token) {
  save(stored());
  wire->respond(lost);
  wire->respond(rotated());
  Refresher refresher = make();
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_THAT(bodies(), ElementsAre(refresh_body, refresh_body));
}

TEST_F(RefresherTest, a_refresh_is_not_tried_a_third_time) {
  save(stored());
  wire->respond(lost);
  wire->respond(http_response(500, "{}"));
  Refresher refresher = make();
  EXPECT_THAT(renew(refresher), HasSubstr("HTTP 500"));
  EXPECT_FALSE(detail().log_in_again);
  EXPECT_EQ(bodies().size(), 2U);
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-1") << "it may still be good";
}

TEST_F(RefresherTest, where_the_lost_response_had_rotated_it_says_log_in_again) {
  save(stored());
  wire->respond(lost);
  wire->respond(oauth_error(400, "invalid_grant", "reused"));
  Refresher refresher = make();
  EXPECT_THAT(renew(refresher),
              HasSubstr("the response to a request before was lost, and had replaced this refresh token: "
                        "log in again"));
  EXPECT_TRUE(detail().log_in_again);
}

TEST_F(RefresherTest, where_both_responses_were_lost_each_later_renewal_sends_it_once_and_remembers_that) {
  save(stored());
  for (int i = 0; i < 4; ++i) wire->respond(lost);
  Refresher refresher = make();
  renew(refresher);
  EXPECT_EQ(bodies().size(), 2U);
  for (std::size_t sent = 3; sent <= 4; ++sent) {
    renew(refresher);
    EXPECT_EQ(bodies().size(), sent);
  }
  EXPECT_THAT(last->message(), HasSubstr("gave none: the wire says closed"));
  wire->respond(oauth_error(400, "invalid_grant"));
  EXPECT_THAT(renew(refresher), HasSubstr("the response to a request before was lost"));
  EXPECT_TRUE(detail().log_in_again);
}

TEST_F(RefresherTest, once_a_refresh_token_has_served_again_its_lost_responses_are_forgotten) {
  save(stored());
  for (int i = 0; i < 2; ++i) wire->respond(lost);
  wire->respond(http_response(200, R"({"access_token":"canary-access-2"})"));
  Refresher refresher = make();
  renew(refresher);
  EXPECT_EQ(renew(refresher), "canary-access-2") << "and the refresh token stays";
  wire->respond(lost);
  wire->respond(rotated());
  EXPECT_EQ(renew(refresher, "canary-access-2"), "canary-access-2");
  EXPECT_EQ(bodies().size(), 5U) << "sent once more";
}

TEST_F(RefresherTest, no_policy_sends_a_refresh_that_may_have_acted_more_than_once_again) {
  save(stored());
  for (int i = 0; i < 3; ++i) wire->respond(lost);
  Refresher refresher =
      make(Renewal{.retry_policy = {.max_attempts = 5, .first_pause = 0ms, .repeat_unknown_starts = true}});
  renew(refresher);
  EXPECT_EQ(bodies().size(), 2U);
  renew(refresher);
  EXPECT_EQ(bodies().size(), 3U);
}

TEST_F(RefresherTest, a_login_that_is_slow_is_heard_out_where_hanging_up_would_lose_a_refresh_token) {
  class Watch final : public http::Transport {
   public:
    http::AttemptResult perform(const http::Request&, const http::Limits& limits) override {
      given = limits.deadline - std::chrono::steady_clock::now();
      return rotated();
    }
    std::chrono::nanoseconds given{};
  };
  for (const Grant grant : {Grant::refresh_token, Grant::client_credentials}) {
    save(stored_for(grant));
    const auto watch = std::make_shared<Watch>();
    Credentials watched = credentials();
    watched.transport = watch;
    Refresher refresher = make({.timeout = 1h}, grant, watched);
    EXPECT_EQ(renew(refresher), "canary-access-2");
    EXPECT_GT(watch->given, grant == Grant::refresh_token ? 59min : 29min);
    EXPECT_LE(watch->given, grant == Grant::refresh_token ? 60min : 30min) << "a repeat of what is safe has room";
  }
}

TEST_F(RefresherTest, client_credentials_are_asked_for_again_as_often_as_the_policy_says) {
  for (int i = 0; i < 2; ++i) wire->respond(lost);
  wire->respond(rotated());
  Refresher refresher = make(Grant::client_credentials);
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_EQ(bodies().size(), 3U);
}

TEST_F(RefresherTest, with_one_attempt_nothing_is_sent_twice) {
  for (const Grant grant : {Grant::client_credentials, Grant::refresh_token}) {
    save(stored_for(grant));
    wire->respond(lost);
    const std::size_t before = bodies().size();
    Refresher refresher = make(Renewal{.retry_policy = {.max_attempts = 1}}, grant);
    renew(refresher);
    EXPECT_EQ(bodies().size(), before + 1);
  }
}

TEST_F(RefresherTest, what_never_had_a_connection_is_no_try) {
  save(stored());
  for (int i = 0; i < 2; ++i) wire->respond(refused_connection);
  wire->respond(rotated());
  Refresher refresher = make(Renewal{.retry_policy = {.first_pause = 0ms}});
  EXPECT_EQ(renew(refresher), "canary-access-2");
}

TEST_F(RefresherTest, a_response_truncated_behind_its_json_is_not_asked_for_again) {
  save(stored());
  http::Response truncated = rotated();
  truncated.framed = false;
  truncated.truncated = failure(Stage::receive, Cause::closed, true);
  wire->respond(truncated);
  Refresher refresher = make();
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_EQ(bodies().size(), 1U);
}

// ---- errors

struct ErrorRow {
  const char* name;
  std::vector<http::AttemptResult> results;
  std::string says;
  std::string error = {};
  std::string description = {};
  int status = 0;
  bool log_in_again = false;  ///< of a refresh
  bool temporary = false;
};
std::ostream& operator<<(std::ostream& out, const ErrorRow& row) { return out << row.name; }

http::AttemptResult too_large() {
  http::Response response = http_response(200, R"({"access_token":")" + std::string(100, 'x'));
  response.framed = false;
  response.truncated = failure(Stage::receive, Cause::too_large, true);
  return response;
}

http::AttemptResult half() {
  http::Response response = http_response(200, R"({"access_token":"canary-acc)");
  response.framed = false;
  response.truncated = failure(Stage::receive, Cause::closed, true);
  return response;
}

const ErrorRow error_rows[] = {
    {"invalid_request",
     {oauth_error(400, "invalid_request", "no")},
     "HTTP 400: invalid_request: no",
     "invalid_request",
     "no",
     400},
    {"invalid_client", {oauth_error(401, "invalid_client")}, "HTTP 401: invalid_client", "invalid_client", "", 401},
    {"invalid_grant",
     {oauth_error(400, "invalid_grant", "expired")},
     "log in again",
     "invalid_grant",
     "expired",
     400,
     true},
    {"invalid_grant_in_a_200", {oauth_error(200, "invalid_grant")}, "log in again", "invalid_grant", "", 200, true},
    {"invalid_token", {oauth_error(401, "invalid_token")}, "log in again", "invalid_token", "", 401, true},
    {"request_timeout",
     {http_response(408, ""), http_response(408, ""), http_response(408, "")},
     "HTTP 408",
     "",
     "",
     408,
     false,
     true},
    {"client_closed_request",
     {http_response(499, ""), http_response(499, ""), http_response(499, "")},
     "HTTP 499",
     "",
     "",
     499,
     false,
     true},
    {"a_dead_word_in_a_503",
     {oauth_error(503, "invalid_token"), oauth_error(503, "invalid_token"), oauth_error(503, "invalid_token")},
     "HTTP 503",
     "invalid_token",
     "",
     503,
     false,
     true},
    {"a_dead_word_in_a_429", {oauth_error(429, "invalid_grant")}, "HTTP 429", "invalid_grant", "", 429, false, true},
    {"unauthorized_client",
     {oauth_error(400, "unauthorized_client")},
     "unauthorized_client",
     "unauthorized_client",
     "",
     400},
    {"unsupported_grant_type",
     {oauth_error(400, "unsupported_grant_type")},
     "unsupported_grant_type",
     "unsupported_grant_type",
     "",
     400},
    {"invalid_scope", {oauth_error(400, "invalid_scope")}, "invalid_scope", "invalid_scope", "", 400},
    {"the_apis_own_error",
     {http_response(400, R"({"exceptionType":"X","errorMessage":"y"})")},
     "HTTP 400: X: y",
     "X",
     "y",
     400},
    {"forbidden", {http_response(403, "canary-page")}, "HTTP 403", "", "", 403},
    {"not_found", {http_response(404, "<html>canary</html>")}, "HTTP 404", "", "", 404},
    {"rate_limited_without_a_pause", {http_response(429, "")}, "HTTP 429", "", "", 429, false, true},
    {"down",
     {http_response(503, "canary"), http_response(503, ""), http_response(503, "")},
     "HTTP 503",
     "",
     "",
     503,
     false,
     true},
    {"a_redirect", {http_response(302, "", {{"Location", "https://evil.test/?canary"}})}, "HTTP 302", "", "", 302},
    {"html_in_a_200", {http_response(200, "<html>canary</html>")}, "HTTP 200, and the body is not JSON", "", "", 200},
    {"no_token_in_a_200", {http_response(200, R"({"token":"canary"})")}, "holds no access_token", "", "", 200},
    {"a_token_of_another_type",
     {http_response(200, R"({"access_token":{"canary":1}})")},
     "holds no access_token",
     "",
     "",
     200},
    {"negative_expiry",
     {http_response(200, R"({"access_token":"canary","expires_in":-1})")},
     "expires_in",
     "",
     "",
     200},
    {"created", {http_response(201, R"({"access_token":"canary-201"})")}, "HTTP 201", "", "", 201},
    {"too_large", {too_large()}, "too_large", "", "", 200, false, true},
    {"cut", {half(), half(), half()}, "closed", "", "", 200, false, true},
    {"no_connection",
     {refused_connection, refused_connection, refused_connection},
     "the wire says unreachable",
     "",
     "",
     0,
     false,
     true},
    {"a_wrong_certificate",
     {failure(Stage::handshake, Cause::certificate, false)},
     "the wire says certificate",
     "",
     "",
     0},
    {"no_answer", {lost, lost, lost}, "the wire says closed", "", "", 0, false, true},
};

class RefresherErrors : public RefresherTest, public ::testing::WithParamInterface<ErrorRow> {
 protected:
  void expect_error(Grant grant) {
    const ErrorRow& row = GetParam();
    const StoredToken before = stored_for(grant);
    save(before);
    for (const auto& result : row.results) wire->respond(result);
    Refresher refresher = make(grant);
    const bool told = !row.log_in_again || grant == Grant::refresh_token;
    EXPECT_THAT(renew(refresher), HasSubstr(told ? row.says : row.error));
    EXPECT_THAT(last->message(), HasSubstr("the authorization server https://login.test/user/oauth/token gave none: "));
    EXPECT_EQ(last->kind(), ErrorKind::token_error);
    EXPECT_EQ(detail().error, row.error);
    EXPECT_EQ(detail().error_description, row.description);
    EXPECT_EQ(detail().http_status, row.status);
    EXPECT_EQ(detail().log_in_again, row.log_in_again && grant == Grant::refresh_token);
    EXPECT_EQ(detail().temporary, row.temporary);
    EXPECT_EQ(in_store().access_token.reveal(), "canary-access-1") << "an error changes nothing in the store";
    EXPECT_EQ(in_store().refresh_token, before.refresh_token);
  }
};

TEST_P(RefresherErrors, of_a_refresh_are_told_with_their_outcomes_and_no_secret) { expect_error(Grant::refresh_token); }
TEST_P(RefresherErrors, of_client_credentials_are_told_with_their_outcomes_and_no_secret) {
  expect_error(Grant::client_credentials);
}
INSTANTIATE_TEST_SUITE_P(Table, RefresherErrors, ::testing::ValuesIn(error_rows),
                         [](const auto& row) { return row.param.name; });

TEST_F(RefresherTest, what_was_sent_is_redacted_where_the_authorization_server_echoes_it) {
  save(stored());
  wire->respond(oauth_error(400, "invalid_request",
                            "canary-client-secret canary-refresh-1 Basic c2hvcDpjYW5hcnktY2xpZW50LXNlY3JldA=="));
  Refresher refresher = make();
  EXPECT_THAT(renew(refresher), HasSubstr("invalid_request: [redacted] [redacted] Basic [redacted]"));
  EXPECT_EQ(detail().error_description, "[redacted] [redacted] Basic [redacted]");
}

TEST_F(RefresherTest, a_short_client_secret_is_redacted_too) {
  save(stored());
  wire->respond(oauth_error(400, "invalid_request", "wrong: s3c"));
  Credentials with_short = credentials();
  with_short.client_secret = "s3c";
  Refresher refresher = make(with_short);
  EXPECT_THAT(renew(refresher), HasSubstr("wrong: [redacted]"));
}

TEST_F(RefresherTest,
       a_refresh_token_that_the_authorization_server_refused_is_not_sent_again_until_the_store_has_another) {
  save(stored());
  wire->respond(oauth_error(400, "invalid_grant"));
  Refresher refresher = make();
  const std::string first = renew(refresher);
  EXPECT_EQ(renew(refresher), first);
  EXPECT_EQ(pause, 1s);
  EXPECT_FALSE(backs_off);
  EXPECT_TRUE(detail().log_in_again);
  EXPECT_EQ(bodies().size(), 1U);
  StoredToken again = stored();
  again.refresh_token = "canary-refresh-5";
  save(again);
  wire->respond(rotated());
  EXPECT_EQ(renew(refresher), "canary-access-2");
}

TEST_F(RefresherTest, a_pause_that_the_authorization_server_names_is_told_on) {
  save(stored());
  wire->respond(http_response(429, "", {{"Retry-After", "17"}}));
  Refresher refresher = make(Renewal{.retry_policy = {.max_attempts = 1}});
  renew(refresher);
  EXPECT_EQ(pause, 17s);
  EXPECT_TRUE(backs_off);
  wire->respond(http_response(429, "", {{"Retry-After", "31536000"}}));
  renew(refresher);
  EXPECT_EQ(pause, 60s) << "no longer than the policy says";
}

TEST_F(RefresherTest, a_refresh_token_that_was_refused_is_not_sent_by_a_later_run_either) {
  for (const char* error : {"invalid_grant", "invalid_token"}) {
    save(stored(now + 1h));
    wire->respond(oauth_error(400, error, "gone"));
    {
      Refresher refresher = make();
      EXPECT_THAT(renew(refresher, "canary-access-1"), HasSubstr("log in again"));
    }
    EXPECT_EQ(in_store().refused, error);
    EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-1");
    const std::size_t sent = bodies().size();
    Refresher later = make();
    EXPECT_EQ(renew(later), "canary-access-1") << "which lives";
    EXPECT_EQ(renew(later, "canary-access-1"),
              std::string("the authorization server has refused the refresh token of account \"anna\" (") + error +
                  "): log in again");
    EXPECT_TRUE(detail().log_in_again);
    EXPECT_FALSE(detail().temporary);
    EXPECT_EQ(detail().error, error);
    EXPECT_EQ(bodies().size(), sent);
    ASSERT_TRUE(import_refresh_token(*store, credentials(), "anna", "canary-refresh-5"));
    EXPECT_EQ(in_store().refused, "");
    wire->respond(rotated());
    EXPECT_EQ(renew(later), "canary-access-2");
  }
}

TEST_F(RefresherTest, where_a_store_cannot_keep_that_it_was_refused_the_token_is_not_sent_again_by_this_run) {
  save(stored());
  wire->respond(oauth_error(400, "invalid_grant"));
  store->failures = 1;
  Refresher refresher = make();
  renew(refresher);
  EXPECT_EQ(in_store().refused, "");
  renew(refresher);
  EXPECT_TRUE(detail().log_in_again);
  EXPECT_EQ(bodies().size(), 1U);
}

// ---- the store works before a refresh token is spent

TEST_F(RefresherTest, a_store_that_cannot_be_written_costs_no_refresh_token) {
  save(stored());
  store->is_read_only = true;
  Refresher refresher = make();
  EXPECT_EQ(renew(refresher),
            "the store cannot be written, so the refresh token was not sent: no space left on the disk");
  EXPECT_TRUE(detail().temporary);
  EXPECT_FALSE(detail().log_in_again);
  EXPECT_EQ(store->saves, 1) << "once";
  EXPECT_THAT(bodies(), ElementsAre());
}

TEST_F(RefresherTest, an_authorization_server_that_does_not_rotate_is_not_held_to_a_store_that_works) {
  for (const char* same : {R"({"access_token":"canary-access-2"})",
                           R"({"access_token":"canary-access-2","refresh_token":"canary-refresh-1"})"}) {
    store->is_read_only = false;
    save(stored());
    wire->respond(http_response(200, same));
    wire->respond(http_response(200, same));
    Refresher refresher = make();
    EXPECT_EQ(renew(refresher), "canary-access-2");
    store->is_read_only = true;
    EXPECT_EQ(renew(refresher, "canary-access-2"), "canary-access-2");
    EXPECT_TRUE(std::holds_alternative<std::monostate>(refresher.standing));
  }
  store->is_read_only = false;
  save(stored());
  wire->respond(http_response(200, R"({"access_token":"canary-access-2"})"));
  store->failures = 1;
  Refresher refresher = make();
  EXPECT_EQ(renew(refresher), "canary-access-2") << "the first time, too: nothing was spent";
}

TEST_F(RefresherTest, what_its_end_cannot_save_is_told) {
  save(stored());
  store->failures = 2;
  wire->respond(rotated());
  Refresher::lost.clear();
  {
    Refresher refresher = make();
    renew(refresher, {}, left());
  }
  EXPECT_EQ(
      Refresher::lost,
      "LOST: the new refresh token of account \"anna\" could not be saved: log in again (no space left on the disk)");
}

TEST_F(RefresherTest, what_an_accounts_cannot_keep_when_it_ends_is_an_event) {
  save(stored());
  store->failures = 1000;
  wire->respond(rotated());
  std::vector<TokenEvent> events;
  {
    const Accounts accounts(credentials(), store,
                            {.renewal = {.timeout = 500ms, .retry_policy = {.connect_for = 75ms}},
                             .on_event = [&](const TokenEvent& event) { events.push_back(event); }});
    const auto token = accounts.source("anna")({});
    ASSERT_FALSE(token);
    EXPECT_THAT(token.error().message(), HasSubstr("held in memory"));
  }
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, TokenEvent::Kind::put_off);
  EXPECT_EQ(events[1].kind, TokenEvent::Kind::lost);
  EXPECT_EQ(events[1].account, "anna");
  EXPECT_TRUE(events[1].error->token_error()->log_in_again);
  EXPECT_THAT(events[1].error->message(), HasSubstr("no space left on the disk"));
}

TEST_F(RefresherTest, a_token_that_is_held_in_memory_keeps_its_lock_so_that_nobody_spends_the_old_one) {
  save(stored());
  store->failures = 1;
  wire->respond(rotated());
  Refresher refresher = make();
  EXPECT_THAT(renew(refresher, {}, left()), HasSubstr("held in memory"));
  EXPECT_FALSE(store->lock("anna", {})) << "another process would find the token that was spent";
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_TRUE(store->lock("anna", {}));
  EXPECT_THAT(bodies(), ElementsAre(refresh_body));
}

TEST_F(RefresherTest, one_that_gives_way_to_another_token_gives_its_lock_back) {
  Refresher refresher = make();
  hold_in_memory(refresher);
  StoredToken other = stored(now + 1h);
  other.refresh_token = "canary-refresh-9";
  save(other);
  EXPECT_EQ(renew(refresher), "canary-access-1");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(refresher.standing));
  EXPECT_TRUE(store->lock("anna", {}));
}

TEST_F(RefresherTest, once_tokens_were_replaced_the_store_must_work_even_if_another_was_not) {
  for (const bool rotating_first : {true, false}) {
    store->is_read_only = false;
    save(stored());
    Refresher refresher = make();
    for (const bool rotating : {rotating_first, !rotating_first}) {
      wire->respond(rotating ? rotated() : http_response(200, R"({"access_token":"canary-access-3"})"));
      renew(refresher, in_store().access_token);
    }
    store->is_read_only = true;
    const std::size_t sent = bodies().size();
    EXPECT_THAT(renew(refresher, in_store().access_token), HasSubstr("the refresh token was not sent"));
    EXPECT_EQ(bodies().size(), sent);
  }
}

/// Each save, load and secret takes so long.
class SlowStore final : public TokenStore {
 public:
  Result<std::optional<StoredToken>> load(const std::string& account) override { return memory.load(account); }
  Result<void> save(const std::string& account, const StoredToken& token) override {
    std::this_thread::sleep_for(pause);
    return memory.save(account, token);
  }
  Result<void> remove(const std::string& account) override { return memory.remove(account); }
  Result<Lock> lock(const std::string& account, const LockRequest& request) override {
    held_for = request.held_for;
    return memory.lock(account, request);
  }
  MemoryTokenStore memory;
  std::chrono::milliseconds pause{0}, held_for{0};
};

TEST_F(RefresherTest, the_authorization_server_has_its_whole_time_however_slow_the_store_is) {
  class Watch final : public http::Transport {
   public:
    http::AttemptResult perform(const http::Request&, const http::Limits& limits) override {
      given = limits.deadline - std::chrono::steady_clock::now();
      return rotated();
    }
    std::chrono::nanoseconds given{};
  };
  const auto slow = std::make_shared<SlowStore>();
  ASSERT_TRUE(slow->memory.save("anna", stored()));
  const auto watch = std::make_shared<Watch>();
  Credentials watched = credentials();
  watched.transport = watch;
  slow->pause = 30ms;
  Refresher refresher(Grant::refresh_token, {.credentials = watched, .store = slow, .account = "anna"});
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_GT(watch->given, Renewal{}.timeout - 30ms);
  EXPECT_EQ(slow->held_for, 2 * Renewal{}.timeout);
}

TEST_F(RefresherTest, a_store_so_slow_that_its_lock_may_end_costs_no_refresh_token) {
  const auto slow = std::make_shared<SlowStore>();
  ASSERT_TRUE(slow->memory.save("anna", stored()));
  slow->pause = 30ms;
  Refresher refresher(Grant::refresh_token,
                      {.credentials = credentials(), .store = slow, .account = "anna", .renewal = {.timeout = 20ms}});
  EXPECT_THAT(renew(refresher), HasSubstr("the refresh token was not sent"));
  EXPECT_TRUE(detail().temporary);
  EXPECT_THAT(bodies(), ElementsAre());
}

TEST_F(RefresherTest, the_wait_for_the_lock_is_time_that_passes) {
  save(stored());
  auto held = store->lock("anna", {});
  std::jthread other([&] {
    std::this_thread::sleep_for(1500ms);
    StoredToken fresh = stored(now + 12h);
    fresh.obtained_at = now + 1400ms;  // while this one waited
    save(fresh);
    held = Result<TokenStore::Lock>(TokenStore::Lock());
  });
  Refresher refresher = make(Renewal{});
  EXPECT_EQ(renew(refresher), "canary-access-1");
  EXPECT_THAT(bodies(), ElementsAre());
}

TEST_F(RefresherTest, any_timeout_can_be_used) {
  save(stored());
  Refresher none = make(Renewal{.timeout = std::chrono::milliseconds::min()});
  EXPECT_THAT(renew(none), HasSubstr("the refresh token was not sent"));
  wire->respond(rotated());
  Refresher all = make(Renewal{.timeout = std::chrono::milliseconds::max()});
  EXPECT_EQ(renew(all), "canary-access-2");
}

TEST_F(RefresherTest, a_source_that_goes_waits_for_no_refresh_and_the_end_of_its_accounts_does) {
  class Slow final : public http::Transport {
   public:
    http::AttemptResult perform(const http::Request&, const http::Limits&) override {
      began = true;
      go_on.acquire();
      std::this_thread::sleep_for(20ms);
      return rotated();
    }
    std::atomic<bool> began = false;
    std::binary_semaphore go_on{0};
  };
  save(stored());
  const auto slow = std::make_shared<Slow>();
  Credentials with_slow = credentials();
  with_slow.transport = slow;
  {
    const Accounts accounts(with_slow, store);
    {
      const TokenSource source = accounts.source("anna");
      EXPECT_FALSE(source.get({}, [](const auto& token) { EXPECT_TRUE(token); }));
      ASSERT_TRUE(eventually([&] { return slow->began.load(); }));
    }  // a source that waited here would wait for ever
    slow->go_on.release();
  }
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-2");
}

// ---- short lives

TEST_F(RefresherTest, client_credentials_that_get_a_token_about_to_end_wait_for_the_next_one) {
  const auto began = std::chrono::steady_clock::now();
  wire->respond(http_response(200, R"({"access_token":"canary-old","expires_in":0})"));
  wire->respond(http_response(200, R"({"access_token":"canary-new","expires_in":43199})"));
  Refresher refresher = make(Grant::client_credentials);
  EXPECT_EQ(renew(refresher), "canary-new");
  EXPECT_GE(std::chrono::steady_clock::now() - began, 1s);
  EXPECT_EQ(in_store().access_token.reveal(), "canary-new");
  EXPECT_EQ(in_store().obtained_at, now + 1s);
}

TEST_F(RefresherTest, client_credentials_that_get_a_token_of_some_seconds_or_have_no_time_wait_for_none) {
  for (const auto& [expires_in, timeout] : {std::pair{"2", 30'000ms}, std::pair{"1", 2'000ms}}) {
    wire->respond(http_response(200, R"({"access_token":"canary-old","expires_in":)" + std::string(expires_in) + "}"));
    Refresher refresher = make({.timeout = timeout}, Grant::client_credentials);
    EXPECT_EQ(renew(refresher), "canary-old");
    EXPECT_FALSE(in_store().access_token.empty());
    ASSERT_TRUE(store->memory.remove("anna"));
  }
  EXPECT_EQ(bodies().size(), 2U);
}

TEST_F(RefresherTest, who_leaves_does_not_wait_for_a_token_to_end) {
  wire->respond(http_response(200, R"({"access_token":"canary-old","expires_in":0})"));
  Refresher refresher = make(Grant::client_credentials);
  EXPECT_EQ(renew(refresher, {}, left()), "canary-old");
}

TEST_F(RefresherTest, a_refresh_that_brings_a_token_of_no_time_is_no_fault_and_not_repeated) {
  save(stored());
  wire->respond(rotated(R"(,"expires_in":0)"));
  Refresher refresher = make();
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_EQ(in_store().expires_at, now);
}

TEST_F(RefresherTest, a_stored_token_that_was_obtained_in_the_future_is_not_used) {
  StoredToken token = stored(now + 36h);
  token.obtained_at = now + 24h;
  save(token);
  wire->respond(rotated());
  Refresher refresher = make();
  EXPECT_EQ(renew(refresher), "canary-access-2");
}

// ---- who leaves waits for a response that may hold a refresh token, and for nothing else

TEST_F(RefresherTest, who_leaves_makes_no_second_attempt) {
  save(stored());
  wire->respond(http_response(503, ""));
  Refresher refresher = make(Renewal{.retry_policy = {.first_pause = 1h, .longest_pause = 1h}});
  renew(refresher, {}, left());
  EXPECT_EQ(bodies().size(), 1U);
}

TEST_F(RefresherTest, who_leaves_hears_the_response_to_a_refresh) {
  class Watch final : public http::Transport {
   public:
    http::AttemptResult perform(const http::Request&, const http::Limits& limits) override {
      may_be_stopped = limits.stop.stop_possible();
      return rotated();
    }
    bool may_be_stopped = true;
  };
  save(stored());
  const auto watch = std::make_shared<Watch>();
  Credentials watched = credentials();
  watched.transport = watch;
  Refresher refresher = make(watched);
  EXPECT_EQ(renew(refresher, {}, left()), "canary-access-2");
  EXPECT_FALSE(watch->may_be_stopped);
}

// ---- the client's secret

TEST_F(RefresherTest, a_client_secret_by_a_function_is_asked_for_before_each_request) {
  save(stored());
  Credentials vault = credentials();
  vault.client_secret = {};
  vault.client_authentication = ClientAuthentication::body;
  int asked = 0;
  vault.client_secret_from = [&]() -> Result<Secret> { return Secret("canary-" + std::to_string(++asked)); };
  wire->respond(http_response(200, R"({"access_token":"canary-access-2"})"));
  wire->respond(oauth_error(400, "invalid_request", "not canary-2"));
  Refresher refresher = make(vault);
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_THAT(renew(refresher, "canary-access-2"), HasSubstr("not [redacted]"));
  EXPECT_THAT(bodies(), ElementsAre(refresh_body + "&client_id=shop&client_secret=canary-1",
                                    refresh_body + "&client_id=shop&client_secret=canary-2"));
}

TEST_F(RefresherTest, a_vault_that_gives_no_secret_spends_nothing) {
  save(stored());
  Credentials vault = credentials();
  vault.client_secret_from = []() -> Result<Secret> { return token_error("the vault is sealed"); };
  Refresher refresher = make(vault);
  EXPECT_EQ(renew(refresher), "the client secret was not had: the vault is sealed");
  EXPECT_TRUE(detail().temporary);
  EXPECT_THAT(bodies(), ElementsAre());
}

TEST_F(RefresherTest, no_vault_is_asked_for_a_token_that_is_not_sent) {
  StoredToken dead = stored();
  dead.refused = "invalid_grant";
  save(dead);
  Credentials vault = credentials();
  vault.client_secret_from = []() -> Result<Secret> {
    ADD_FAILURE() << "asked";
    return Secret("s");
  };
  Refresher refresher = make(vault);
  EXPECT_THAT(renew(refresher), HasSubstr("log in again"));
}

TEST_F(RefresherTest, a_vault_that_gives_an_empty_secret_makes_no_public_client_of_this_one) {
  save(stored());
  Credentials vault = credentials();
  vault.client_secret_from = []() -> Result<Secret> { return Secret(); };
  Refresher refresher = make(vault);
  EXPECT_EQ(renew(refresher), "client_secret_from gave an empty secret");
  EXPECT_THAT(bodies(), ElementsAre());
}

TEST_F(RefresherTest, a_refused_refresh_says_what_the_client_proved_itself_with) {
  const auto refused = [&](const char* error, auto change) {
    save(stored());
    wire->respond(oauth_error(401, error));
    Credentials with = credentials();
    change(with);
    Refresher refresher = make(with);
    return renew(refresher);
  };
  EXPECT_THAT(refused("invalid_client", [](Credentials&) {}),
              HasSubstr("the client secret was sent by HTTP Basic, not in the body: make sure that it is right, and "
                        "that the client may send it so"));
  EXPECT_THAT(refused("invalid_client", [](Credentials& c) { c.client_authentication = ClientAuthentication::body; }),
              HasSubstr("the client secret was sent by the body, not by HTTP Basic"));
  EXPECT_THAT(refused("invalid_client", [](Credentials& c) { c.client_secret = {}; }),
              HasSubstr("; no client secret was given"));
  EXPECT_THAT(refused("unauthorized", [](Credentials& c) { c.client_secret = {}; }),
              HasSubstr("; no client secret was given"));
}

// ---- whose tokens they are

TEST_F(RefresherTest, tokens_of_another_service_or_client_are_neither_sent_nor_overwritten) {
  const auto with = [](auto change) {
    StoredToken token = stored(now + 1h);
    change(token);
    return token;
  };
  const std::pair<StoredToken, const char*> others[] = {
      {with([](StoredToken& token) { token.api_url = "https://other.test/capi"; }),
       "was got for https://other.test/capi"},
      {with([](StoredToken& token) { token.login_url = "https://evil.test"; }), "was got for https://evil.test"},
      {with([](StoredToken& token) { token.login_url = ""; }), "was got for nobody says what"},
      {with([](StoredToken& token) { token.client_id = "another"; }), "was got for the client another"},
  };
  for (const auto& [token, says] : others) {
    for (const Grant grant : {Grant::refresh_token, Grant::client_credentials}) {
      save(token);
      Refresher refresher = make(grant);
      EXPECT_THAT(renew(refresher), HasSubstr(says));
      EXPECT_EQ(in_store().login_url, token.login_url);
    }
  }
  EXPECT_THAT(bodies(), ElementsAre());
}

TEST_F(RefresherTest, client_credentials_do_not_overwrite_a_customers_refresh_token) {
  save(stored());
  Refresher refresher = make(Grant::client_credentials);
  EXPECT_THAT(renew(refresher), HasSubstr("account \"anna\" is a customer's, whose refresh token would be lost"));
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-1");
  EXPECT_THAT(bodies(), ElementsAre());
}

TEST_F(RefresherTest, its_tokens_go_to_their_own_api_however_that_is_spelled) {
  const Refresher refresher = make();
  EXPECT_TRUE(refresher.check_api(""));
  EXPECT_TRUE(refresher.check_api("https://api.test/capi"));
  EXPECT_TRUE(refresher.check_api("https://api.test/capi/"));
  EXPECT_THAT(message_of(refresher.check_api("https://api.test/other")), HasSubstr("are for https://api.test/capi"));
  EXPECT_THAT(message_of(refresher.check_api("https://evil.test/capi")), HasSubstr("for no other API"));
}

TEST_F(RefresherTest, without_a_refresh_token_in_the_store_it_says_log_in) {
  Refresher refresher = make();
  EXPECT_THAT(renew(refresher), HasSubstr("no refresh token of account \"anna\": log in"));
  EXPECT_TRUE(detail().log_in_again);
  EXPECT_EQ(pause, 1s);
  EXPECT_THAT(bodies(), ElementsAre());
}

TEST_F(RefresherTest, a_store_whose_token_is_lost_fails_a_refresh_and_not_client_credentials) {
  store->load_error = Error(Outcome::not_sent, TokenError{.log_in_again = true}, "the file is broken");
  Refresher refresh = make();
  EXPECT_EQ(renew(refresh), "the store cannot be read: the file is broken");
  EXPECT_TRUE(detail().log_in_again);
  EXPECT_FALSE(detail().temporary);
  wire->respond(rotated());
  Refresher own = make(Grant::client_credentials);
  EXPECT_EQ(renew(own), "canary-access-2");
  store->load_error = Error(Outcome::not_sent, ConfigurationError{}, "others may read it");
  EXPECT_EQ(renew(own), "the store cannot be read: others may read it");
  EXPECT_FALSE(detail().temporary);
}

TEST_F(RefresherTest, a_lock_that_is_not_had_is_an_error_that_says_so) {
  save(stored());
  const auto held = store->lock("anna", {.deadline = std::chrono::steady_clock::now()});
  Refresher refresher = make(Renewal{.timeout = 20ms});
  EXPECT_THAT(renew(refresher), HasSubstr("the store's lock was not had: "));
  EXPECT_TRUE(detail().temporary);
  EXPECT_THAT(bodies(), ElementsAre());
}

TEST_F(RefresherTest, credentials_that_cannot_be_used_say_what_is_wrong) {
  const auto error = [&](auto change, bool with_store = true, Grant grant = Grant::refresh_token) {
    SourceOptions options{.credentials = credentials(), .account = "anna"};
    if (with_store) options.store = store;
    change(options.credentials);
    return message_of(Refresher(grant, std::move(options)).check_api({}));
  };
  EXPECT_EQ(error([](Credentials&) {}), "");
  EXPECT_EQ(error([](Credentials& c) { c.environment = Environment::custom("https://api.test"); }),
            "the login URL is empty");
  EXPECT_THAT(error([](Credentials& c) { c.environment = Environment::custom("https://a.test", "http://l.test"); }),
              HasSubstr("the login URL must be https"));
  EXPECT_THAT(error([](Credentials& c) { c.environment = Environment::custom("ftp://a.test", "https://l.test"); }),
              HasSubstr("the API URL must begin with https://"));
  EXPECT_EQ(error([](Credentials& c) { c.client_id = ""; }), "client_id is empty");
  EXPECT_EQ(error([](Credentials&) {}, false), "there is no store to keep refresh tokens in");
  EXPECT_EQ(error([](Credentials&) {}, false, Grant::client_credentials), "");
}

TEST_F(RefresherTest, an_account_without_a_name_is_the_clients_own) {
  wire->respond(rotated());
  const auto source = client_credentials_source({.credentials = credentials(), .store = store});
  EXPECT_EQ(source({})->value.reveal(), "canary-access-2");
  EXPECT_EQ(store->memory.load("shop").value()->access_token.reveal(), "canary-access-2");
}

TEST_F(RefresherTest, client_credentials_without_a_secret_serve_while_a_stored_token_lives) {
  save(stored_for(Grant::client_credentials, now + 1h));
  Credentials without_secret = credentials();
  without_secret.client_secret = {};
  Refresher refresher = make(without_secret, Grant::client_credentials);
  EXPECT_EQ(renew(refresher), "canary-access-1");
  EXPECT_EQ(renew(refresher, "canary-access-1"), "client_secret is empty, and client credentials need one");
}

TEST_F(RefresherTest, an_imported_refresh_token_is_what_is_renewed_with) {
  ASSERT_TRUE(import_refresh_token(*store, credentials(), "anna", "canary-refresh-1"));
  EXPECT_TRUE(in_store().access_token.empty());
  wire->respond(rotated());
  Refresher refresher = make();
  EXPECT_EQ(renew(refresher), "canary-access-2");
  EXPECT_THAT(bodies(), ElementsAre(refresh_body));
}

TEST_F(RefresherTest, an_import_can_be_told_to_forget_no_tokens_that_could_be_used) {
  const auto import = [&](const char* token) {
    return message_of(import_refresh_token(*store, credentials(), "anna", token, {}, IfKept::refuse));
  };
  EXPECT_EQ(import("canary-refresh-1"), "") << "there is nothing";
  EXPECT_EQ(import("canary-refresh-2"), "account \"anna\" has tokens already, which would be forgotten");
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-1");
  StoredToken dead = stored();
  dead.refused = "invalid_grant";
  save(dead);
  EXPECT_EQ(import("canary-refresh-3"), "") << "it has to log in again";
  store->load_error = Error(Outcome::not_sent, TokenError{}, "a disk that does not read");
  EXPECT_NE(import("canary-refresh-4"), "");
  store->load_error = Error(Outcome::not_sent, TokenError{.log_in_again = true}, "the file is broken");
  EXPECT_EQ(import("canary-refresh-5"), "");
  EXPECT_TRUE(import_refresh_token(*store, credentials(), "anna", "canary-refresh-6")) << "else they are replaced";
  EXPECT_EQ(in_store().refresh_token.reveal(), "canary-refresh-6");
}

TEST_F(RefresherTest, an_import_ends_at_a_stop_and_lets_no_exception_of_the_store_through) {
  const auto held = store->lock("anna", {.deadline = std::chrono::steady_clock::now()});
  const auto stopped = import_refresh_token(*store, credentials(), "anna", "canary-refresh-1", left());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind(), ErrorKind::cancelled);
  store->throws = 1;
  const auto thrown = import_refresh_token(*store, credentials(), "kari", "canary-refresh-1");
  ASSERT_FALSE(thrown);
  EXPECT_THAT(thrown.error().message(), HasSubstr("threw an exception"));
  EXPECT_THAT(thrown.error().message(), Not(HasSubstr("canary")));
}

TEST_F(RefresherTest, a_refresh_token_that_none_can_be_is_not_imported) {
  for (const char* text : {"", "canary\n", "canary\r\nX: y", "canary\xC3\xA5", "\x7F"}) {
    const auto imported = import_refresh_token(*store, credentials(), "anna", text);
    ASSERT_FALSE(imported);
    EXPECT_THAT(imported.error().message(), HasSubstr("the refresh token "));
    EXPECT_THAT(imported.error().message(), Not(HasSubstr("canary")));
  }
  EXPECT_EQ(store->saves, 0);
}

}  // namespace
}  // namespace connectid::detail
