// What docs/testing.md shows and says, run.
#include <gtest/gtest.h>
#include <connectid/connectid.hpp>
#include <connectid/testing/fake_server.hpp>
#include <connectid/testing/fault_gate.hpp>
#include <connectid/testing/scripted_transport.hpp>

#include <memory>
#include <ostream>
#include <string>

#include "support/documented_example.hpp"

namespace {

using namespace std::chrono_literals;
using connectid::documented_example;
using connectid::testing::FakeServer;
using connectid::testing::Fault;
using connectid::testing::FaultGate;
namespace ct = connectid::testing;

const connectid::StartSubscriptionRequest& order = documented_example;

connectid::SubscriptionClient client_of(const std::string& url) {
  return connectid::SubscriptionClient({
      .environment = connectid::Environment::custom(url),
      .token_source = connectid::static_token("test-token"),
      .timeouts = {.timeout = std::chrono::seconds{2}},  // so long a server that is gone is called again
  });
}

std::string_view outcome(const connectid::Result<connectid::StartSubscriptionResponse>& result) {
  return result ? "started" : connectid::to_string(result.error().outcome());
}

TEST(TestingPage, scripts_are_taken_one_a_request_and_then_the_rules_hold) {
  FakeServer server;
  const auto client = client_of(server.url());
  // docs: scripts
  server.next(connectid::testing::response(400, R"({"exceptionType":"X","errorMessage":"no such product"})"));
  server.next(connectid::testing::started_but_response_lost());
  EXPECT_EQ(client.start(order).error().http_status(), 400);
  EXPECT_EQ(client.start(order).error().outcome(), connectid::Outcome::unknown);
  EXPECT_TRUE(client.start(order));  // no script left: by the rules

  EXPECT_EQ(server.bodies_received(), 3U);  // whole request bodies, whatever became of them
  EXPECT_EQ(server.started().size(), 2U);
  EXPECT_EQ(server.started().front().request.product, order.product);
  EXPECT_EQ(server.received().front().path, "/v1/subscription");
  // docs: end
}

struct Row {
  const char* name;
  ct::Script script;
  const char* outcome;
  std::size_t started;
  friend void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
};
class EachScript : public testing::TestWithParam<Row> {};

TEST_P(EachScript, ends_in_the_outcome_of_the_table) {
  FakeServer server;
  server.next(GetParam().script);
  const auto result =
      client_of(server.url()).start(order, {.timeout = GetParam().name == std::string("silent") ? 2s : 30s});
  EXPECT_EQ(outcome(result), GetParam().outcome);
  EXPECT_EQ(server.started().size(), GetParam().started);
}
INSTANTIATE_TEST_SUITE_P(
    TestingPage, EachScript,
    testing::Values(Row{"response", ct::response(404, "{}"), "rejected", 0},
                    Row{"started_but_response_lost", ct::started_but_response_lost(), "unknown", 1},
                    Row{"lost_before_acting", ct::lost_before_acting(), "unknown", 0},
                    Row{"rate_limited_for", ct::rate_limited_for(1s), "started", 1},
                    Row{"delayed", ct::delayed(10ms), "started", 1}, Row{"slow", ct::slow(1ms), "started", 1},
                    Row{"silent", ct::silent(), "unknown", 1},
                    Row{"truncate_request_at", ct::truncate_request_at(400), "unknown", 0},
                    Row{"truncate_response_at", ct::truncate_response_at(20), "unknown", 1},
                    Row{"raw_answer", ct::raw_response("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), "unknown",
                        1},
                    Row{"garbage", ct::garbage(), "unknown", 1}, Row{"huge", ct::huge(2'000'000), "unknown", 1},
                    Row{"gone", ct::gone(), "unknown", 1}),
    [](const auto& row) { return row.param.name; });

TEST(TestingPage, over_tls) {
  // docs: over TLS
  FakeServer server({.tls = true});
  connectid::SubscriptionClient client({
      .environment = server.environment(),
      .token_source = connectid::static_token("test-token"),
      .transport =
          std::make_shared<connectid::http::CurlTransport>(connectid::http::CurlOptions{.ca_pem = server.ca_pem()}),
  });
  EXPECT_TRUE(client.start(order));
  // docs: end
}

TEST(TestingPage, a_certificate_that_has_expired) {
  // docs: an expired certificate
  FakeServer server({.tls = true, .certificate = {.valid_from = -48h, .valid_for = -24h}});
  // docs: end
  const connectid::SubscriptionClient client({
      .environment = server.environment(),
      .token_source = connectid::static_token("test-token"),
      .transport =
          std::make_shared<connectid::http::CurlTransport>(connectid::http::CurlOptions{.ca_pem = server.ca_pem()}),
  });
  const auto result = client.start(order);
  ASSERT_EQ(outcome(result), "not_sent");
  ASSERT_TRUE(result.error().get_if<connectid::TransportError>());
  EXPECT_EQ(result.error().get_if<connectid::TransportError>()->cause, connectid::Cause::certificate);
  EXPECT_EQ(server.bodies_received(), 0U);
}

TEST(TestingPage, connections_fail_between_calls) {
  FakeServer server;
  const auto client = client_of(server.url());
  // docs: between calls
  EXPECT_TRUE(client.start(order));
  server.gate().close_connections();  // as servers do with connections that idle
  EXPECT_TRUE(client.start(order));   // a new connection; the request left once
  server.gate().close_connections();
  server.gate().stop_listening();
  EXPECT_EQ(client.start(order).error().outcome(), connectid::Outcome::not_sent);
  EXPECT_EQ(server.bodies_received(), 2U);
  // docs: end
}

TEST(TestingPage, the_authorization_server_gives_tokens_and_fails_by_the_same_scripts) {
  // docs: the authorization server
  FakeServer server;
  const auto store = std::make_shared<connectid::auth::MemoryTokenStore>();
  const connectid::auth::Credentials credentials{
      .environment = server.environment(), .client_id = "test-client", .client_secret = "test-secret"};
  const connectid::auth::SourceOptions of_anna{.credentials = credentials, .store = store, .account = "anna"};
  EXPECT_TRUE(connectid::auth::import_refresh_token(*store, credentials, "anna", server.log_in("anna")));
  const connectid::SubscriptionClient client({
      .environment = server.environment(),
      .token_source = connectid::auth::refresh_token_source(of_anna),
  });
  EXPECT_TRUE(client.start(order));
  EXPECT_EQ(server.started().front().account, "anna");

  server.expire_access_tokens();  // the next start meets a 401, and its token is renewed
  EXPECT_EQ(client.start(order)->call.attempts, 2);
  EXPECT_EQ(server.token_requests().size(), 2U);

  server.revoke("anna");  // somebody has logged her out everywhere
  const auto again = connectid::auth::refresh_token_source(of_anna);
  EXPECT_FALSE(again({.refused = again({})->value}));
  EXPECT_EQ(server.reused_refresh_tokens(), 0U);
  // docs: end
}

TEST(TestingPage, a_gate_before_a_server_of_ones_own) {
  FakeServer server;
  const std::uint16_t port_of_your_server = server.gate().port();
  // docs: a gate of your own
  FaultGate gate(port_of_your_server, {.plan = [](const FaultGate::Position& at) {
                   return at.connection == 1 ? Fault{.truncate_response_at = 30, .end = Fault::End::reset} : Fault{};
                 }});
  const auto client = client_of("http://127.0.0.1:" + std::to_string(gate.port()));
  EXPECT_EQ(client.start(order).error().outcome(), connectid::Outcome::unknown);
  EXPECT_TRUE(client.start(order));  // on the second connection
  // docs: end
  EXPECT_EQ(gate.exchanges(), 2U);
}

}  // namespace
