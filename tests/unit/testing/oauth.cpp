// The fake authorization server: which codes and tokens it gives, to whom, and what it refuses.
#include <connectid/http/curl_transport.hpp>
#include <connectid/testing/fake_server.hpp>

#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "support/documented_example.hpp"
#include "testing/routes/oauth.hpp"

namespace connectid::testing {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const std::string basic = "Basic dGVzdC1jbGllbnQ6dGVzdC1zZWNyZXQ=";  // test-client:test-secret
const std::string of_client = "grant_type=client_credentials";

std::string of_refresh(const std::string& token) { return "grant_type=refresh_token&refresh_token=" + token; }

const char* name_of(AuthorizationServer kind) { return kind == AuthorizationServer::rfc ? "rfc" : "spring"; }

class TokenEndpointOf : public ::testing::Test {
 protected:
  explicit TokenEndpointOf(AuthorizationServer kind)
      : server({.rotate_refresh_tokens = true, .authorization_server = kind}) {}

  http::Response post(const std::string& body, const std::string& authorization = basic,
                      const std::string& type = "application/x-www-form-urlencoded") {
    return ask({.method = "POST",
                .url = server.login_url() + "/oauth/token",
                .headers = {{"Content-Type", type}},
                .authorization = authorization,
                .body = body});
  }
  http::Response ask(const http::Request& request) {
    http::AttemptResult attempt = transport.perform(request, {.deadline = std::chrono::steady_clock::now() + 10s});
    if (auto* failure = std::get_if<http::Failure>(&attempt)) return {.status = -1, .body = failure->text};
    return std::get<http::Response>(std::move(attempt));
  }
  json tokens(const std::string& body) { return json::parse(post(body).body); }
  /// The status of a start with this access token.
  int start_with(const std::string& access_token) {
    return ask({.method = "POST",
                .url = server.url() + "/v1/subscription",
                .authorization = "Bearer " + access_token,
                .body = to_json(documented_example)})
        .status;
  }

  FakeServer server;
  http::CurlTransport transport;
};

/// What both kinds do.
class TokenEndpoint : public TokenEndpointOf, public ::testing::WithParamInterface<AuthorizationServer> {
 protected:
  TokenEndpoint() : TokenEndpointOf(GetParam()) {}
  [[nodiscard]] static bool like_spring() { return GetParam() == AuthorizationServer::spring; }
  [[nodiscard]] static const char* refused() { return like_spring() ? "invalid_token" : "invalid_grant"; }
};
INSTANTIATE_TEST_SUITE_P(Kind, TokenEndpoint, ::testing::Values(AuthorizationServer::rfc, AuthorizationServer::spring),
                         [](const auto& kind) { return name_of(kind.param); });

class TokenEndpointOfRfc : public TokenEndpointOf {
 protected:
  TokenEndpointOfRfc() : TokenEndpointOf(AuthorizationServer::rfc) {}
};

struct Refusal {
  const char* name;
  std::string body;
  int status;
  const char* error;
  std::string authorization = basic;
  std::string type = "application/x-www-form-urlencoded";
};
void PrintTo(const Refusal& row, std::ostream* out) { *out << row.name; }

class TokenEndpointRefusals : public TokenEndpointOf,
                              public ::testing::WithParamInterface<std::tuple<AuthorizationServer, Refusal>> {
 protected:
  TokenEndpointRefusals() : TokenEndpointOf(std::get<0>(GetParam())) {}
};

TEST_P(TokenEndpointRefusals, are_told_with_their_error) {
  const Refusal& row = std::get<1>(GetParam());
  const http::Response response = post(row.body, row.authorization, row.type);
  EXPECT_EQ(response.status, row.status) << response.body;
  const json body = json::parse(response.body);
  EXPECT_EQ(body.at("error"), row.error);
  EXPECT_FALSE(body.contains("access_token"));
  EXPECT_EQ(response.body.find("secret-of"), std::string::npos) << "no secret is echoed";
  const bool challenged = http::find(response.headers, "WWW-Authenticate") != nullptr;
  EXPECT_EQ(challenged, row.status == 401 && !row.authorization.empty());
  ASSERT_EQ(server.token_requests().size(), 1U);
  EXPECT_EQ(server.token_requests().front().error, row.error);
}
INSTANTIATE_TEST_SUITE_P(
    Table, TokenEndpointRefusals,
    ::testing::Combine(
        ::testing::Values(AuthorizationServer::rfc, AuthorizationServer::spring),
        ::testing::ValuesIn(std::vector{
            Refusal{"json", R"({"grant_type":"client_credentials"})", 400, "invalid_request", basic,
                    "application/json"},
            Refusal{"no_grant_type", "refresh_token=test-refresh-token", 400, "invalid_request"},
            Refusal{"a_parameter_twice", of_client + "&grant_type=refresh_token", 400, "invalid_request"},
            Refusal{"a_parameter_twice_with_one_value", of_client + "&" + of_client, 400, "invalid_request"},
            Refusal{"a_form_that_cannot_be_read", of_client + "&scope=%zz", 400, "invalid_request"},
            Refusal{"a_form_that_ends_within_a_byte", of_client + "&scope=%4", 400, "invalid_request"},
            Refusal{"another_type_that_begins_so", of_client, 400, "invalid_request", basic,
                    "application/x-www-form-urlencoded-no"},
            Refusal{"another_grant_type", "grant_type=password&username=a&password=secret-of-a", 400,
                    "unsupported_grant_type"},
            Refusal{"no_refresh_token", "grant_type=refresh_token", 400, "invalid_request"},
            Refusal{"no_code", "grant_type=authorization_code", 400, "invalid_request"},
            Refusal{"an_unknown_code", "grant_type=authorization_code&code=x", 400, "invalid_grant"},
            Refusal{"no_client", of_client, 401, "invalid_client", ""},
            Refusal{"another_client", of_client + "&client_id=x&client_secret=test-secret", 401, "invalid_client", ""},
            Refusal{"a_wrong_secret", of_client + "&client_id=test-client&client_secret=secret-of", 401,
                    "invalid_client", ""},
            Refusal{"a_wrong_secret_by_basic", of_client, 401, "invalid_client", "Basic dGVzdC1jbGllbnQ6eA=="},
            Refusal{"basic_that_cannot_be_read", of_client, 401, "invalid_client", "Basic ???"},
            Refusal{"basic_without_a_colon", of_client, 401, "invalid_client", "Basic dGVzdC1jbGllbnQ="},
            Refusal{"basic_with_more_behind_the_secret", of_client, 401, "invalid_client",
                    "Basic dGVzdC1jbGllbnQ6dGVzdC1zZWNyZXQmeD15"},  // test-client:test-secret&x=y
            Refusal{"basic_that_is_not_form_encoded", of_client, 401, "invalid_client",
                    "Basic dGVzdC1jbGllbnQ6MTAwJQ=="},
            Refusal{"another_scheme", of_client, 401, "invalid_client", "Digest x"},
            Refusal{"both_ways_at_once", of_client + "&client_id=test-client&client_secret=test-secret", 400,
                    "invalid_request"},
            Refusal{"two_clients_at_once", of_client + "&client_id=another", 400, "invalid_request"}})),
    [](const auto& row) { return std::string(std::get<1>(row.param).name) + "_" + name_of(std::get<0>(row.param)); });

TEST_F(TokenEndpointOfRfc, an_unknown_refresh_token_is_an_invalid_grant_and_not_echoed) {
  const http::Response response = post(of_refresh("secret-of-nobody"));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(json::parse(response.body).at("error"), "invalid_grant");
  EXPECT_EQ(response.body.find("secret-of"), std::string::npos);
  EXPECT_EQ(http::find(response.headers, "WWW-Authenticate"), nullptr);
  EXPECT_EQ(server.token_requests().front().error, "invalid_grant");
}

TEST_P(TokenEndpoint, what_standards_call_equal_is_taken_for_it) {
  EXPECT_EQ(post(of_client, basic, "Application/X-WWW-Form-Urlencoded; charset=UTF-8").status, 200);
  EXPECT_EQ(post(of_client, "basic" + basic.substr(5)).status, 200);
  EXPECT_EQ(post("&" + of_client + "&&client_id=test-client&client_secret=&").status, 200);
}

TEST_P(TokenEndpoint, only_post_is_taken) {
  for (const char* method : {"GET", "PUT"}) {
    const http::Response response =
        ask({.method = method, .url = server.login_url() + "/oauth/token", .body = of_client});
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(json::parse(response.body).at("error"), "invalid_request");
    EXPECT_EQ(server.token_requests().back().error, "invalid_request");
  }
}

TEST_P(TokenEndpoint, a_form_of_more_than_8_kib_is_refused_and_not_remembered) {
  EXPECT_EQ(post(of_refresh(std::string(8192, 'x'))).status, 413);
  EXPECT_TRUE(server.token_requests().empty());
  EXPECT_EQ(post(of_client).status, 200);
}

TEST_P(TokenEndpoint, client_credentials_give_an_access_token_and_no_refresh_token) {
  for (const bool in_body : {true, false}) {
    const http::Response response =
        in_body ? post(of_client + "&client_id=test-client&client_secret=test-secret", "") : post(of_client);
    ASSERT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(*http::find(response.headers, "Cache-Control"), "no-store");
    const json body = json::parse(response.body);
    EXPECT_EQ(body.at("token_type"), "Bearer");
    EXPECT_LE(body.at("expires_in"), 12 * 3600);
    EXPECT_GE(body.at("expires_in"), 12 * 3600 - (like_spring() ? 60 : 0)) << "Spring gives the same token twice";
    EXPECT_FALSE(body.contains("refresh_token"));
    EXPECT_EQ(start_with(body.at("access_token")), 200);
    EXPECT_EQ(server.started().back().account, "test-client");
  }
  EXPECT_EQ(server.token_requests().back().grant_type, "client_credentials");
  EXPECT_EQ(server.token_requests().back().client_id, "test-client");
  EXPECT_EQ(server.bodies_received(), 2U) << "requests for tokens are counted by themselves";
  EXPECT_EQ(server.received().size(), 2U);
}

TEST_P(TokenEndpoint, a_refresh_token_is_replaced_each_time_and_the_new_one_is_good) {
  std::string refresh_token = server.log_in("anna");
  for (int i = 0; i < 3; ++i) {
    const json body = tokens(of_refresh(refresh_token));
    EXPECT_NE(body.at("refresh_token"), refresh_token);
    refresh_token = body.at("refresh_token");
    EXPECT_EQ(start_with(body.at("access_token")), 200);
    EXPECT_EQ(server.started().back().account, "anna");
  }
  EXPECT_EQ(server.reused_refresh_tokens(), 0U);
}

TEST_F(TokenEndpointOfRfc, a_refresh_token_that_comes_again_revokes_all_that_came_of_its_login) {
  const std::string first = server.log_in("anna"), other_login = server.log_in("anna");
  const json second = tokens(of_refresh(first));
  EXPECT_EQ(tokens(of_refresh(first)).at("error"), "invalid_grant");
  EXPECT_EQ(tokens(of_refresh(second.at("refresh_token"))).at("error"), "invalid_grant");
  EXPECT_TRUE(tokens(of_refresh(other_login)).contains("access_token"));
  EXPECT_EQ(server.reused_refresh_tokens(), 1U);
}

TEST_F(TokenEndpointOfRfc, without_rotation_the_refresh_token_stays) {
  FakeServer fixed({.rotate_refresh_tokens = false});
  for (int i = 0; i < 2; ++i) {
    const http::Response response = ask({.method = "POST",
                                         .url = fixed.login_url() + "/oauth/token",
                                         .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                                         .authorization = basic,
                                         .body = of_refresh("test-refresh-token")});
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_FALSE(json::parse(response.body).contains("refresh_token"));
  }
  EXPECT_EQ(fixed.reused_refresh_tokens(), 0U);
}

TEST_P(TokenEndpoint, access_tokens_end_and_can_be_ended) {
  const std::string lasting = tokens(of_refresh(server.log_in("anna"))).at("access_token");
  const std::string of_kari = server.log_in("kari");
  server.access_token_lifetime(1ms);
  const json short_lived = tokens(of_refresh(of_kari));
  EXPECT_EQ(short_lived.at("expires_in"), like_spring() ? 0 : 1) << "whole seconds, rounded down or up";
  std::this_thread::sleep_for(2ms);
  EXPECT_EQ(start_with(short_lived.at("access_token")), 401);
  EXPECT_EQ(start_with(lasting), 200);
  server.expire_access_tokens();
  EXPECT_EQ(start_with(lasting), 401);
  EXPECT_EQ(start_with("test-token"), 401);
}

TEST_P(TokenEndpoint, any_lifetime_gives_tokens_that_can_be_used_or_have_ended) {
  using std::chrono::milliseconds;
  for (const auto& lifetime : {milliseconds::min(), milliseconds(-1h), 0ms}) {
    server.access_token_lifetime(lifetime);
    const json ended = tokens(of_client);
    EXPECT_EQ(ended.at("expires_in"), like_spring() ? 0 : 1);
    std::this_thread::sleep_for(2ms);
    EXPECT_EQ(start_with(ended.at("access_token")), 401);
  }
  server.access_token_lifetime(milliseconds::max());
  EXPECT_EQ(start_with(tokens(of_client).at("access_token")), 200);

  FakeServer from_the_start({.access_token_lifetime = milliseconds::max(),
                             .authorization_server = GetParam(),
                             .refresh_token_lifetime = milliseconds::max()});
  httplib::Client client(from_the_start.login_url());
  const auto given =
      client.Post("/oauth/token", {{"Authorization", basic}}, of_client, "application/x-www-form-urlencoded");
  ASSERT_TRUE(given);
  const http::Response start =
      ask({.method = "POST",
           .url = from_the_start.url() + "/v1/subscription",
           .authorization = "Bearer " + json::parse(given->body).at("access_token").get<std::string>(),
           .body = to_json(documented_example)});
  EXPECT_EQ(start.status, 200);
}

TEST_P(TokenEndpoint, a_customer_who_is_revoked_can_refresh_no_more_and_log_in_again) {
  const std::string before = server.log_in("anna"), of_kari = server.log_in("kari");
  server.revoke("anna");
  EXPECT_EQ(tokens(of_refresh(before)).at("error"), refused());
  EXPECT_TRUE(tokens(of_refresh(of_kari)).contains("access_token"));
  EXPECT_TRUE(tokens(of_refresh(server.log_in("anna"))).contains("access_token"));
}

TEST_P(TokenEndpoint, its_scripts_do_not_meet_the_apis_requests) {
  server.next_token_request(token_error(400, "invalid_scope", "no"));
  server.always_token_request(response(503, ""));
  server.next(response(404, "{}"));
  EXPECT_EQ(start_with("test-token"), 404);
  EXPECT_EQ(start_with("test-token"), 200);
  EXPECT_EQ(tokens(of_client), json({{"error", "invalid_scope"}, {"error_description", "no"}}));
  EXPECT_EQ(post(of_client).status, 503);
  server.always_token_request({});
  EXPECT_EQ(post(of_client).status, 200);
}

TEST_P(TokenEndpoint, a_script_that_obeys_gives_tokens_whose_response_is_lost) {
  const std::string refresh_token = server.log_in("anna");
  server.next_token_request(started_but_response_lost());
  EXPECT_EQ(post(of_refresh(refresh_token)).status, -1);
  EXPECT_EQ(tokens(of_refresh(refresh_token)).at("error"), refused());
  server.next_token_request(lost_before_acting());
  const std::string another = server.log_in("anna");
  EXPECT_EQ(post(of_refresh(another)).status, -1);
  EXPECT_TRUE(tokens(of_refresh(another)).contains("access_token"));
}

TEST_P(TokenEndpoint, requests_that_a_script_responded_to_are_told_with_what_it_said) {
  const std::string refresh_token = server.log_in("anna");
  server.next_token_request(token_error(400, "invalid_scope"));
  server.next_token_request(response(503, "<p>closed</p>"));
  server.next_token_request(lost_before_acting());
  server.next_token_request(truncate_request_at(20));  // it never came whole
  for (int i = 0; i < 5; ++i) static_cast<void>(post(of_refresh(refresh_token)));
  std::vector<std::string> errors;
  for (const TokenGrant& request : server.token_requests()) {
    EXPECT_EQ(request.grant_type, "refresh_token");
    EXPECT_EQ(request.account, "anna");
    EXPECT_EQ(request.client_id, "test-client");
    errors.push_back(request.error);
  }
  EXPECT_EQ(errors, (std::vector<std::string>{"invalid_scope", "scripted", "scripted", ""}));
}

TEST_P(TokenEndpoint, its_gate_closes_on_nobody_else) {
  EXPECT_EQ(post(of_client).status, 200);
  server.token_gate().stop_listening();
  server.token_gate().close_connections();
  EXPECT_EQ(post(of_client).status, -1);
  EXPECT_EQ(start_with("test-token"), 200);
}

TEST_P(TokenEndpoint, also_responds_at_the_apis_port_and_speaks_tls_there_and_here) {
  EXPECT_NE(server.login_url(), server.url());
  EXPECT_EQ(server.environment().login_url(), server.login_url());
  FakeServer secure({.tls = true, .authorization_server = GetParam()});
  http::CurlTransport trusting({.ca_pem = secure.ca_pem()});
  for (const std::string& url : {secure.url(), secure.login_url()}) {
    EXPECT_TRUE(url.starts_with("https://"));
    const http::Request request{.method = "POST",
                                .url = url + "/oauth/token",
                                .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                                .authorization = basic,
                                .body = of_client};
    const http::AttemptResult attempt = trusting.perform(request, {.deadline = std::chrono::steady_clock::now() + 10s});
    ASSERT_TRUE(std::holds_alternative<http::Response>(attempt)) << std::get<http::Failure>(attempt).text;
    EXPECT_EQ(std::get<http::Response>(attempt).status, 200);
  }
}

TEST_P(TokenEndpoint, a_secret_with_any_character_is_understood_both_ways) {
  FakeServer odd({.client_id = "a:b c", .client_secret = "+%&=\xC3\xA5", .authorization_server = GetParam()});
  const auto ask_odd = [&](const std::string& body, const std::string& authorization) {
    return ask({.method = "POST",
                .url = odd.login_url() + "/oauth/token",
                .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                .authorization = authorization,
                .body = body})
        .status;
  };
  EXPECT_EQ(ask_odd(of_client + "&client_id=a%3Ab%20c&client_secret=%2B%25%26%3D%C3%A5", ""), 200);
  EXPECT_EQ(ask_odd(of_client, "Basic YSUzQWIlMjBjOiUyQiUyNSUyNiUzRCVDMyVBNQ=="), 200);
}

TEST_P(TokenEndpoint, the_log_tells_the_requests_and_no_token) {
  static_cast<void>(post(of_refresh("test-refresh-token")));
  static_cast<void>(post(of_refresh("test-refresh-token")));
  static_cast<void>(start_with("test-token"));
  const std::string text = ask({.method = "GET", .url = server.url() + "/__connectid/log"}).body;
  const json log = json::parse(text);
  ASSERT_EQ(log.at("token_requests").size(), 2U);
  EXPECT_EQ(log.at("token_requests")[0],
            json({{"grant_type", "refresh_token"}, {"account", "test"}, {"client_id", "test-client"}, {"error", ""}}));
  EXPECT_EQ(log.at("token_requests")[1].at("error"), refused());
  EXPECT_EQ(log.at("reused_refresh_tokens"), 1);
  EXPECT_EQ(log.at("started").at(0).at("account"), "test");
  EXPECT_EQ(text.find("canary"), std::string::npos);
  EXPECT_EQ(text.find("test-refresh"), std::string::npos);
}

TEST_P(TokenEndpoint, parameters_in_the_url_are_refused_for_urls_land_in_logs) {
  httplib::Client client(server.login_url());
  const auto result = client.Post("/oauth/token?client_id=test-client&client_secret=test-secret", of_client,
                                  "application/x-www-form-urlencoded");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 400);
  EXPECT_EQ(json::parse(result->body).at("error"), "invalid_request");
}

using TokenEndpointThreads = TokenEndpoint;
INSTANTIATE_TEST_SUITE_P(Kind, TokenEndpointThreads,
                         ::testing::Values(AuthorizationServer::rfc, AuthorizationServer::spring),
                         [](const auto& kind) { return name_of(kind.param); });

TEST_P(TokenEndpointThreads, one_refresh_token_that_sixteen_send_at_once_is_given_for_once) {
  const std::string refresh_token = server.log_in("anna");
  std::atomic<int> given = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] { given += post(of_refresh(refresh_token)).status == 200; });
  }
  threads.clear();
  EXPECT_EQ(given, 1);
  EXPECT_EQ(server.reused_refresh_tokens(), 15U);
}

// ---- where the customer logs in

class AuthorizationEndpoint : public TokenEndpoint {
 protected:
  /// What /oauth/authorize responds, with these parameters behind the usual ones.
  http::Response authorize(const std::string& more = "", const std::string& usual =
                                                             "client_id=test-client&"
                                                             "redirect_uri=" +
                                                             encoded_callback) {
    return ask({.method = "GET", .url = server.login_url() + "/oauth/authorize?" + usual + more});
  }
  static std::string location(const http::Response& response) {
    const std::string* const found = http::find(response.headers, "Location");
    return found == nullptr ? "" : *found;
  }
  std::string new_code(const std::string& more = "") {
    const std::string begins = callback + "?code=", to = location(authorize("&response_type=code" + more));
    EXPECT_TRUE(to.starts_with(begins)) << to;
    return to.substr(std::min(begins.size(), to.size()));
  }
  static std::string of_code(const std::string& code, const std::string& more = "&redirect_uri=" + encoded_callback) {
    return "grant_type=authorization_code&code=" + code + more;
  }

  static inline const std::string callback = "http://127.0.0.1:8484/callback",
                                  encoded_callback = "http%3A%2F%2F127.0.0.1%3A8484%2Fcallback";
  // RFC 7636 appendix B
  static inline const std::string verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                                  challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
};
INSTANTIATE_TEST_SUITE_P(Kind, AuthorizationEndpoint,
                         ::testing::Values(AuthorizationServer::rfc, AuthorizationServer::spring),
                         [](const auto& kind) { return name_of(kind.param); });

TEST_P(AuthorizationEndpoint, gives_whoever_logs_in_a_code_and_tokens_for_it) {
  server.next_login("anna");
  server.next_login("kari");
  for (const char* account : {"anna", "kari", "test"}) {
    const http::Response response = authorize("&response_type=code&state=a%26b%C3%A5+c");
    EXPECT_EQ(response.status, 302);
    const std::string to = location(response), state = "&state=a%26b%C3%A5%20c";
    ASSERT_TRUE(to.starts_with(callback + "?code=canary-code-") && to.ends_with(state)) << to;
    const std::size_t begin = callback.size() + 6;
    const json body = tokens(of_code(to.substr(begin, to.size() - begin - state.size())));
    EXPECT_EQ(start_with(body.at("access_token")), 200);
    EXPECT_EQ(server.started().back().account, account);
    EXPECT_EQ(server.token_requests().back().grant_type, "authorization_code");
    EXPECT_EQ(server.token_requests().back().account, account);
    EXPECT_TRUE(tokens(of_refresh(body.at("refresh_token"))).contains("access_token"));
  }
  EXPECT_EQ(server.token_requests().size(), 6U) << "only those for tokens";
  EXPECT_EQ(server.received().size(), 3U);
}

TEST_P(AuthorizationEndpoint, sends_nobody_to_an_address_that_is_not_registered) {
  server.next_login("anna");
  const std::string client = "client_id=test-client";
  for (const std::string& usual :
       {client, client + "&redirect_uri=", client + "&redirect_uri=http://127.0.0.1:8485/callback",
        client + "&redirect_uri=http://127.0.0.1/callback", client + "&redirect_uri=http://127.0.0.1:8484/callback/x",
        client + "&redirect_uri=http://localhost:8484/callback",
        client + "&redirect_uri=https://127.0.0.1:8484/callback", "client_id=other&redirect_uri=" + encoded_callback,
        "redirect_uri=" + encoded_callback, client + "&" + client + "&redirect_uri=" + encoded_callback,
        client + "&redirect_uri=" + encoded_callback + "&redirect_uri=" + encoded_callback,
        client + "&redirect_uri=" + encoded_callback + "&state=%zz"}) {
    const http::Response response = authorize("&response_type=code", usual);
    EXPECT_EQ(response.status, 400) << usual;
    EXPECT_EQ(location(response), "") << usual;
  }
  const http::Response post_of_it =
      ask({.method = "POST", .url = server.login_url() + "/oauth/authorize", .body = "x"});
  EXPECT_EQ(post_of_it.status, 400);
  static_cast<void>(tokens(of_code(new_code())));
  EXPECT_EQ(server.token_requests().back().account, "anna") << "nobody logged in before";
}

TEST_P(AuthorizationEndpoint, tells_the_client_what_is_wrong_with_its_request) {
  const std::string code = "&response_type=code";
  for (const auto& [more, error] : std::vector<std::pair<std::string, std::string>>{
           {"", "invalid_request"},
           {"&response_type=token", "unsupported_response_type"},
           {code + code, "invalid_request"},
           {code + "&code_challenge=" + challenge, "invalid_request"},
           {code + "&code_challenge_method=plain&code_challenge=" + challenge, "invalid_request"}}) {
    const http::Response response = authorize(more + "&state=s");
    EXPECT_EQ(response.status, 302) << more;
    EXPECT_EQ(location(response), callback + "?error=" + error + "&state=s") << more;
  }
}

TEST_P(AuthorizationEndpoint, obeys_the_scripts_of_its_port_and_is_no_token_request) {
  server.next_token_request(response(503, "closed"));
  server.next_token_request(lost_before_acting());
  EXPECT_EQ(authorize("&response_type=code").status, 503);
  EXPECT_EQ(authorize("&response_type=code").status, -1);
  EXPECT_EQ(authorize("&response_type=code").status, 302);
  EXPECT_TRUE(server.token_requests().empty());
}

TEST_P(AuthorizationEndpoint, sends_to_any_address_that_is_registered_also_with_a_query) {
  FakeServer own({.authorization_server = GetParam(), .redirect_uris = {"http://a/", "http://[::1]:1/b?c=d"}});
  const auto to = [&](const std::string& uri) {
    return location(ask({.method = "GET",
                         .url = own.login_url() + "/oauth/authorize?response_type=code&client_id=test-client" +
                                "&redirect_uri=" + uri}));
  };
  EXPECT_TRUE(to("http://a/").starts_with("http://a/?code="));
  EXPECT_TRUE(to("http://%5B::1%5D:1/b%3Fc%3Dd").starts_with("http://[::1]:1/b?c=d&code="));
  EXPECT_EQ(to(encoded_callback), "");
}

TEST_P(AuthorizationEndpoint, a_code_is_bound_to_its_redirect_uri_and_its_code_challenge) {
  const std::string challenged = "&code_challenge_method=S256&code_challenge=" + challenge,
                    good = "&redirect_uri=" + encoded_callback, proved = good + "&code_verifier=" + verifier;
  EXPECT_EQ(post(of_code(new_code(challenged), proved)).status, 200);
  EXPECT_EQ(
      post(of_code(new_code("&code_challenge_method=S256&code_challenge=w5HkeCfzdAhWx8dBRZ7_Z-o-E81YkAc9K5Fg1PfkeA0"),
                   good + "&code_verifier=a-verifier-of-forty-three-characters-or-more-1"))
          .status,
      200)
      << "a challenge with an underscore";
  for (const auto& [authorized_with, redeemed_with] : std::vector<std::pair<std::string, std::string>>{
           {"", ""},
           {"", "&redirect_uri=http://127.0.0.1:8484/"},
           {"", proved},  // RFC 9700 section 2.1.1: the challenge may have been taken out on the way
           {challenged, good},
           {challenged, proved + "x"},
           {challenged, good + "&code_verifier=" + challenge}}) {
    const std::string code = new_code(authorized_with);
    const http::Response response = post(of_code(code, redeemed_with));
    EXPECT_EQ(response.status, 400) << authorized_with << " " << redeemed_with;
    EXPECT_EQ(json::parse(response.body).at("error"), "invalid_grant");
    EXPECT_EQ(tokens(of_code(code, authorized_with.empty() ? good : proved)).at("error"), "invalid_grant")
        << "it is spent all the same";
  }
}

TEST_P(AuthorizationEndpoint, a_second_use_of_a_code_revokes_what_came_of_it_by_the_rfc_alone) {
  const std::string code = new_code(), another = new_code();
  const json given = tokens(of_code(code));
  server.next_login("kari");
  const json of_another = tokens(of_code(new_code()));
  const http::Response again = post(of_code(code));
  EXPECT_EQ(again.status, 400);
  EXPECT_EQ(json::parse(again.body).at("error"), "invalid_grant");
  EXPECT_EQ(again.body.find(code) != std::string::npos, like_spring());
  EXPECT_EQ(start_with(given.at("access_token")), like_spring() ? 200 : 401);
  EXPECT_EQ(tokens(of_refresh(given.at("refresh_token"))).contains("access_token"), like_spring());
  EXPECT_EQ(start_with(of_another.at("access_token")), 200);
  EXPECT_EQ(post(of_code(another)).status, 200);
}

// ---- what time does to tokens and codes, without a wait

class TokensInTime : public ::testing::Test {
 protected:
  static constexpr auto half_a_day = 12h, month = 24h * 30;

  void is_made(FakeServerOptions options = {.authorization_server = AuthorizationServer::spring}) {
    endpoint = std::make_unique<detail::TokenEndpoint>(options, [this] { return now; });
  }
  Script::HttpResponse responds(const std::string& form) {
    return endpoint->response(
        {.method = "POST",
         .path = "/oauth/token",
         .headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Authorization", basic}},
         .body = form});
  }
  json tokens(const std::string& form) { return json::parse(responds(form).body); }
  /// As `anna`.
  std::string new_code() {
    endpoint->next_login("anna");
    const auto response = endpoint->response(
        {.method = "GET",
         .path =
             "/oauth/authorize?response_type=code&client_id=test-client&redirect_uri=http://127.0.0.1:8484/callback"});
    return response.headers.at(0).value.substr(std::string("http://127.0.0.1:8484/callback?code=").size());
  }
  json tokens_of_a_code() { return tokens(of_code(new_code())); }
  static std::string of_code(const std::string& code) {
    return "grant_type=authorization_code&redirect_uri=http://127.0.0.1:8484/callback&code=" + code;
  }
  [[nodiscard]] bool lets_in(const json& given) const {
    return endpoint->account_of(given.at("access_token")).has_value();
  }

  std::chrono::steady_clock::time_point now{};
  std::unique_ptr<detail::TokenEndpoint> endpoint;
};

TEST_F(TokensInTime, spring_gives_a_client_its_token_again_until_that_ends) {
  is_made();
  const json first = tokens(of_client);
  EXPECT_EQ(first.at("expires_in"), 43200);
  for (const auto& [later, left] : std::vector<std::pair<std::chrono::milliseconds, int>>{
           {1ms, 43199}, {999ms, 43199}, {1ms, 43198}, {half_a_day - 1002ms, 0}}) {
    now += later;
    const json again = tokens(of_client);
    EXPECT_EQ(again.at("access_token"), first.at("access_token"));
    EXPECT_EQ(again.at("expires_in"), left);
    EXPECT_FALSE(again.contains("refresh_token"));
    EXPECT_TRUE(lets_in(again));
  }
  now += 1ms;
  EXPECT_FALSE(lets_in(first));
  const json second = tokens(of_client);
  EXPECT_NE(second.at("access_token"), first.at("access_token"));
  EXPECT_EQ(second.at("expires_in"), 43200);
}

TEST_F(TokensInTime, spring_gives_a_customer_both_tokens_again_and_keeps_the_refresh_token_of_one_that_ended) {
  is_made();
  const json first = tokens_of_a_code();
  now += 500ms;
  const json again = tokens_of_a_code();
  EXPECT_EQ(again.at("access_token"), first.at("access_token"));
  EXPECT_EQ(again.at("refresh_token"), first.at("refresh_token"));
  EXPECT_EQ(again.at("expires_in"), 43199);
  EXPECT_EQ(endpoint->log_in("anna"), first.at("refresh_token"));
  EXPECT_NE(endpoint->log_in("kari"), first.at("refresh_token"));
  now += half_a_day;
  const json next = tokens_of_a_code();
  EXPECT_NE(next.at("access_token"), first.at("access_token"));
  EXPECT_EQ(next.at("refresh_token"), first.at("refresh_token"));
  now += month;
  EXPECT_NE(tokens_of_a_code().at("refresh_token"), first.at("refresh_token")) << "it has ended, too";
}

TEST_F(TokensInTime, a_customer_who_has_the_clients_name_is_not_the_client) {
  is_made();
  const json of_the_client = tokens(of_client);
  const std::string refresh_token = endpoint->log_in("test-client");
  EXPECT_NE(tokens(of_refresh(refresh_token)).at("access_token"), of_the_client.at("access_token"));
  EXPECT_EQ(tokens(of_client).at("access_token"), of_the_client.at("access_token"));
}

TEST_F(TokensInTime, the_rfc_gives_new_tokens_each_time) {
  is_made({});
  EXPECT_NE(tokens(of_client).at("access_token"), tokens(of_client).at("access_token"));
  const json first = tokens_of_a_code(), second = tokens_of_a_code();
  EXPECT_NE(first.at("access_token"), second.at("access_token"));
  EXPECT_NE(first.at("refresh_token"), second.at("refresh_token"));
  EXPECT_TRUE(lets_in(first));
}

TEST_F(TokensInTime, a_refresh_at_spring_tells_the_refresh_token_again_and_ends_the_access_token) {
  is_made();
  const json first = tokens_of_a_code();
  const std::string refresh_token = first.at("refresh_token");
  const json second = tokens(of_refresh(refresh_token));
  EXPECT_EQ(second.at("refresh_token"), refresh_token);
  EXPECT_NE(second.at("access_token"), first.at("access_token"));
  EXPECT_FALSE(lets_in(first));
  EXPECT_TRUE(lets_in(second));
  EXPECT_EQ(tokens_of_a_code().at("access_token"), second.at("access_token"));
  EXPECT_TRUE(lets_in(tokens(of_refresh(refresh_token))));
  EXPECT_FALSE(lets_in(second));
  EXPECT_EQ(endpoint->reused(), 0U) << "it was never replaced";
}

TEST_F(TokensInTime, an_expired_refresh_token_ends_its_access_token_at_spring) {
  is_made({.authorization_server = AuthorizationServer::spring, .refresh_token_lifetime = 1h});
  const json given = tokens_of_a_code();
  now += 1h;
  EXPECT_TRUE(lets_in(given));
  EXPECT_EQ(tokens_of_a_code(), json({{"access_token", given.at("access_token")},
                                      {"refresh_token", given.at("refresh_token")},
                                      {"token_type", "Bearer"},
                                      {"expires_in", 11 * 3600}}))
      << "whether the refresh token lives is not asked";
  EXPECT_EQ(tokens(of_refresh(given.at("refresh_token"))).at("error"), "invalid_token");
  EXPECT_FALSE(lets_in(given));
  EXPECT_NE(tokens_of_a_code().at("refresh_token"), given.at("refresh_token"));
}

TEST_F(TokensInTime, an_access_token_that_was_ended_is_not_given_again) {
  is_made();
  const json first = tokens_of_a_code();
  endpoint->expire_access_tokens();
  const json next = tokens_of_a_code();
  EXPECT_FALSE(lets_in(first));
  EXPECT_TRUE(lets_in(next));
  EXPECT_EQ(next.at("refresh_token"), first.at("refresh_token")) << "as where it ends by itself";
}

TEST_F(TokensInTime, a_refresh_by_the_rfc_leaves_the_access_token) {
  is_made({});
  const json first = tokens_of_a_code();
  const json second = tokens(of_refresh(first.at("refresh_token")));
  EXPECT_TRUE(lets_in(second));
  EXPECT_TRUE(lets_in(first));
  EXPECT_NE(second.at("refresh_token"), first.at("refresh_token")) << "rotation is its default";
}

TEST_F(TokensInTime, a_replaced_refresh_token_is_unknown_to_spring_and_revokes_nothing) {
  is_made({.rotate_refresh_tokens = true, .authorization_server = AuthorizationServer::spring});
  const json first = tokens_of_a_code();
  const json second = tokens(of_refresh(first.at("refresh_token")));
  EXPECT_NE(second.at("refresh_token"), first.at("refresh_token"));
  EXPECT_FALSE(lets_in(first));
  EXPECT_EQ(tokens(of_refresh(first.at("refresh_token"))).at("error"), "invalid_token");
  EXPECT_EQ(endpoint->reused(), 1U);
  EXPECT_TRUE(lets_in(second));
  EXPECT_EQ(tokens_of_a_code().at("refresh_token"), second.at("refresh_token"));
  EXPECT_TRUE(lets_in(tokens(of_refresh(second.at("refresh_token")))));
}

TEST_F(TokensInTime, spring_refuses_a_refresh_token_with_401_and_its_value_in_the_text) {
  is_made();
  const std::string expired = endpoint->log_in("anna");
  now += month;
  for (const auto& [token, text] : std::vector<std::pair<std::string, std::string>>{
           {expired, "Invalid refresh token (expired): " + expired}, {"unknown", "Invalid refresh token: unknown"}}) {
    const auto response = responds(of_refresh(token));
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(json::parse(response.body), json({{"error", "invalid_token"}, {"error_description", text}}));
    const std::string* const challenge = http::find(response.headers, "WWW-Authenticate");
    ASSERT_NE(challenge, nullptr);
    EXPECT_EQ(*challenge, R"(Bearer realm="oauth2/client", error="invalid_token", error_description=")" + text + '"');
    EXPECT_EQ(endpoint->requests().back().error, "invalid_token");
  }
  const std::string revoked = endpoint->log_in("anna");
  endpoint->revoke("anna");
  EXPECT_EQ(responds(of_refresh(revoked)).status, 401);
  EXPECT_NE(endpoint->log_in("anna"), revoked) << "somebody who was logged out is not given what was revoked";
}

/// A refresh a millisecond before the end of the refresh token, and what the refresh token is worth after that end.
TEST_F(TokensInTime, a_refresh_token_ends_and_only_a_new_one_begins_anew) {
  for (const auto kind : {AuthorizationServer::rfc, AuthorizationServer::spring}) {
    for (const bool rotates : {true, false}) {
      SCOPED_TRACE(std::string(name_of(kind)) + (rotates ? ", rotates" : ""));
      is_made({.rotate_refresh_tokens = rotates, .authorization_server = kind});
      std::string refresh_token = endpoint->log_in("anna");
      now += month - 1ms;
      refresh_token = tokens(of_refresh(refresh_token)).value("refresh_token", refresh_token);
      now += 1ms;
      const auto response = responds(of_refresh(refresh_token));
      EXPECT_EQ(response.status, rotates ? 200 : kind == AuthorizationServer::rfc ? 400 : 401) << response.body;
      EXPECT_EQ(endpoint->requests().back().error, rotates                            ? ""
                                                   : kind == AuthorizationServer::rfc ? "invalid_grant"
                                                                                      : "invalid_token");
    }
  }
}

TEST_F(TokensInTime, the_lifetime_of_refresh_tokens_is_an_option_and_can_be_set_for_those_to_come) {
  is_made({.refresh_token_lifetime = 10s});
  const std::string first = endpoint->log_in("anna");
  endpoint->refresh_token_lifetime(0ms);
  const std::string second = endpoint->log_in("anna");
  now += 1ms;
  EXPECT_EQ(responds(of_refresh(second)).status, 400) << "1 ms is the least";
  EXPECT_EQ(responds(of_refresh(first)).status, 200);
  now += 10s;
  EXPECT_EQ(responds(of_refresh("test-refresh-token")).status, 400);
  endpoint->refresh_token_lifetime(std::chrono::milliseconds::max());
  EXPECT_EQ(responds(of_refresh(endpoint->log_in("anna"))).status, 200);
}

TEST_F(TokensInTime, a_code_lives_for_a_minute) {
  for (const auto kind : {AuthorizationServer::rfc, AuthorizationServer::spring}) {
    is_made({.authorization_server = kind});
    const std::string in_time = new_code(), late = new_code();
    now += 60s - 1ms;
    EXPECT_EQ(responds(of_code(in_time)).status, 200);
    now += 1ms;
    EXPECT_EQ(tokens(of_code(late)).at("error"), "invalid_grant");
  }
}

}  // namespace
}  // namespace connectid::testing
