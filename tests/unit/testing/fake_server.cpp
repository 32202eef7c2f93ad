#include <connectid/testing/fake_server.hpp>

#include <gtest/gtest.h>
#include <httplib.h>
#include <openssl/pem.h>

#include <atomic>
#include <csignal>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>
#include <vector>

#include "support/eventually.hpp"

namespace {

using namespace std::chrono_literals;
using connectid::eventually;
using connectid::testing::FakeServer;
using connectid::testing::Fault;
using connectid::testing::FaultGate;
using nlohmann::json;
namespace ct = connectid::testing;

const json the_example = {
    {"companyCode", "468979834"},
    {"product", "CO27409"},
    {"startTime", 1560336440000},
    {"endTime", 1591958840000},
    {"copies", "1"},
    {"couponCode", "WMDigi"},
    {"couponNumber", 5223},
    {"customerReference", "cvxgds"},
};

httplib::Client client_of(const FakeServer& server) {
  httplib::Client client(server.url());
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  client.set_read_timeout(50s);
  client.set_default_headers({{"Authorization", "Bearer test-token"}});
  return client;
}

httplib::Result start(httplib::Client& client, const std::string& body) {
  return client.Post("/v1/subscription", body, "application/json");
}

httplib::Result start(httplib::Client& client) { return start(client, the_example.dump()); }

int status_of(const httplib::Result& result) { return result ? result->status : 0; }

json without(const char* field) {
  json body = the_example;
  body.erase(field);
  return body;
}

json with(const char* field, const json& value) {
  json body = the_example;
  body[field] = value;
  return body;
}

TEST(FakeServer, starts_the_subscription_of_the_references_example) {
  const FakeServer server;
  auto client = client_of(server);
  const auto result =
      client.Post("/v1/subscription", {{"X-Request-Id", "call-1"}}, the_example.dump(), "application/json");
  ASSERT_EQ(status_of(result), 200);
  EXPECT_EQ(result->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(json::parse(result->body), (json{{"status", "OK"}}));
  const auto started = server.started();
  ASSERT_EQ(started.size(), 1U);
  EXPECT_EQ(started[0].call_id, "call-1");
  EXPECT_EQ(started[0].request.company_code, "468979834");
  EXPECT_EQ(started[0].request.product, "CO27409");
  EXPECT_EQ(started[0].request.start_time, connectid::Timestamp{1560336440000ms});
  EXPECT_EQ(started[0].request.end_time, connectid::Timestamp{1591958840000ms});
  EXPECT_EQ(started[0].request.copies, 1);
  EXPECT_EQ(started[0].request.coupon_code, "WMDigi");
  EXPECT_EQ(started[0].request.coupon_number, 5223);
  EXPECT_EQ(started[0].request.customer_reference, "cvxgds");
}

TEST(FakeServer, starts_without_the_optional_fields_and_with_copies_as_a_number) {
  const FakeServer server;
  auto client = client_of(server);
  json body = with("copies", 2);
  for (const char* optional : {"companyCode", "endTime", "customerReference"}) body.erase(optional);
  EXPECT_EQ(status_of(start(client, body.dump())), 200);
  ASSERT_EQ(server.started().size(), 1U);
  EXPECT_EQ(server.started()[0].request.copies, 2);
  EXPECT_FALSE(server.started()[0].request.end_time);
}

TEST(FakeServer, refuses_what_breaks_the_documented_rules) {
  const FakeServer server;
  auto client = client_of(server);
  const std::vector<json> broken = {
      without("product"),
      without("startTime"),
      without("copies"),
      without("couponCode"),
      without("couponNumber"),
      with("product", "1234567890123"),
      with("product", 7),
      with("companyCode", nullptr),
      with("startTime", "1560336440000"),
      with("startTime", 1560336440.5),
      with("endTime", 1560336430000),
      with("copies", 0),
      with("copies", "one"),
      with("copies", "1x"),
      with("copies", true),
      with("couponNumber", "5223"),
      with("couponNumber", 18446744073709551615ULL),
      with("customerReference", std::string(38, 'x')),
      json::array(),
      json("text"),
  };
  for (const json& body : broken) {
    const auto result = start(client, body.dump());
    ASSERT_EQ(status_of(result), 400) << body;
    const json response = json::parse(result->body);
    EXPECT_EQ(response.at("exceptionType"), "ValidationException");
    EXPECT_FALSE(response.at("errorMessage").get<std::string>().empty());
  }
  for (const char* body : {"", "{", "{\"product\":\"\xFF\"}"}) EXPECT_EQ(status_of(start(client, body)), 400);
  EXPECT_TRUE(server.started().empty());
  EXPECT_EQ(server.bodies_received(), broken.size() + 3);
}

TEST(FakeServer, names_every_field_that_is_wrong) {
  const FakeServer server;
  auto client = client_of(server);
  json body = with("product", 7);
  body["copies"] = "x";
  const std::string message = json::parse(start(client, body.dump())->body).at("errorMessage");
  EXPECT_NE(message.find("product"), std::string::npos);
  EXPECT_NE(message.find("copies"), std::string::npos);
}

TEST(FakeServer, lets_nobody_in_without_the_right_bearer) {
  const FakeServer server({.access_token = "secret"});
  httplib::Client client(server.url());
  for (const char* authorization : {"", "Bearer other", "Bearer secret2", "Basic secret"}) {
    const auto result =
        client.Post("/v1/subscription", {{"Authorization", authorization}}, the_example.dump(), "application/json");
    ASSERT_EQ(status_of(result), 401);
    EXPECT_EQ(result->get_header_value("WWW-Authenticate"), "Bearer error=\"invalid_token\"");
    EXPECT_EQ(json::parse(result->body).at("error"), "invalid_token");
  }
  EXPECT_TRUE(server.started().empty());
  EXPECT_EQ(status_of(client.Post("/v1/subscription", {{"Authorization", "Bearer secret"}}, the_example.dump(),
                                  "application/json")),
            200);
}

TEST(FakeServer, knows_no_resource_but_the_declared_ones) {
  const FakeServer server;
  auto client = client_of(server);
  EXPECT_EQ(status_of(client.Get("/v1/subscription/")), 404);
  const auto result = client.Post("/v1/other", "{}", "application/json");
  ASSERT_EQ(status_of(result), 404);
  EXPECT_TRUE(json::parse(result->body).contains("exceptionType"));
  EXPECT_EQ(server.bodies_received(), 1U);
  EXPECT_EQ(server.received().size(), 2U);
}

TEST(FakeServer, remembers_requests_as_they_came) {
  const FakeServer server;
  auto client = client_of(server);
  (void)client.Post("/v1/other?a=b", {{"X-Own", "1"}}, "text", "text/plain");
  const auto received = server.received();
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].method, "POST");
  EXPECT_EQ(received[0].path, "/v1/other?a=b");
  EXPECT_EQ(received[0].body, "text");
  const auto has = [&](const char* name) { return connectid::http::find(received[0].headers, name) != nullptr; };
  EXPECT_TRUE(has("X-Own"));
  EXPECT_TRUE(has("Authorization"));
  EXPECT_FALSE(has("REMOTE_ADDR") || has("REMOTE_PORT") || has("LOCAL_ADDR") || has("LOCAL_PORT"));
}

TEST(FakeServer, takes_one_script_an_exchange_then_what_is_always_so) {
  FakeServer server;
  auto client = client_of(server);
  server.always(ct::response(503, ""));
  server.next(ct::response(500, "first"));
  server.next(ct::response(502, "second"));
  EXPECT_EQ(status_of(start(client)), 500);
  EXPECT_EQ(status_of(start(client)), 502);
  EXPECT_EQ(status_of(start(client)), 503);
  EXPECT_EQ(status_of(start(client)), 503);
  server.always({});
  EXPECT_EQ(status_of(start(client)), 200);
  EXPECT_EQ(server.started().size(), 1U);
}

TEST(FakeServer, responds_as_told_and_frames_it) {
  FakeServer server;
  auto client = client_of(server);
  server.next(ct::response(200, "<p>portal</p>"));
  server.next(ct::response(400, "[1]"));
  server.next(
      ct::response(400, "x", {{"Content-Type", "text/x"}, {"X-A", "1"}, {"X-A", "2"}, {"Content-Length", "9"}}));
  const auto html = start(client);
  EXPECT_EQ(html->get_header_value("Content-Type"), "text/html");
  EXPECT_EQ(html->body, "<p>portal</p>");
  EXPECT_EQ(start(client)->get_header_value("Content-Type"), "application/json");
  const auto own = start(client);
  EXPECT_EQ(own->get_header_value("Content-Type"), "text/x");
  EXPECT_EQ(own->get_header_value_count("X-A"), 2U);
  EXPECT_EQ(own->get_header_value_count("Content-Length"), 1U);
  EXPECT_EQ(own->body, "x");
}

TEST(FakeServer, keeps_the_framing_of_responses_that_have_no_body) {
  FakeServer server;
  auto client = client_of(server);
  for (const int status : {204, 304}) {
    server.next(ct::response(status, "no place for this"));
    const auto result = start(client);
    ASSERT_EQ(status_of(result), status);
    EXPECT_TRUE(result->body.empty());
    EXPECT_EQ(status_of(start(client)), 200);
  }
  EXPECT_EQ(server.gate().connections(), 1U);
}

TEST(FakeServer, limits_the_rate_for_whole_seconds) {
  FakeServer server;
  auto client = client_of(server);
  server.next(ct::rate_limited_for(1200ms));
  const auto result = start(client);
  ASSERT_EQ(status_of(result), 429);
  EXPECT_EQ(result->get_header_value("Retry-After"), "2");
  EXPECT_EQ(result->get_header_value("X-RateLimit-Remaining"), "0");
  EXPECT_TRUE(server.started().empty());
}

TEST(FakeServer, loses_the_response_or_does_not_act_at_all) {
  FakeServer server;
  for (const auto end : {Fault::End::fin, Fault::End::reset}) {
    auto client = client_of(server);
    const auto before = server.started().size();
    server.next(ct::lost_before_acting(end));
    EXPECT_FALSE(start(client));
    EXPECT_EQ(server.started().size(), before);
    server.next(ct::started_but_response_lost(end));
    EXPECT_FALSE(start(client));
    EXPECT_EQ(server.started().size(), before + 1);
  }
  EXPECT_EQ(server.bodies_received(), 4U);
}

TEST(FakeServer, never_has_a_truncated_request) {
  FakeServer server;
  auto client = client_of(server);
  server.next(ct::truncate_request_at(20));
  EXPECT_FALSE(start(client));
  server.next(ct::truncate_request_at(20, Fault::End::reset));
  EXPECT_FALSE(start(client));
  EXPECT_EQ(status_of(start(client)), 200);
  EXPECT_EQ(server.bodies_received(), 1U);
  EXPECT_EQ(server.gate().exchanges(), 3U);
}

TEST(FakeServer, truncates_garbles_and_forges_responses_of_requests_it_obeyed) {
  FakeServer server;
  auto client = client_of(server);
  server.next(ct::truncate_response_at(30));
  EXPECT_FALSE(start(client));
  server.next(ct::garbage());
  EXPECT_FALSE(start(client));
  server.next(ct::raw_response("HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\nhi"));
  const auto forged = start(client);
  ASSERT_EQ(status_of(forged), 299);
  EXPECT_EQ(forged->body, "hi");
  EXPECT_EQ(status_of(start(client)), 200);
  EXPECT_EQ(server.started().size(), 4U);
}

TEST(FakeServer, takes_its_time) {
  FakeServer server;
  auto client = client_of(server);
  const auto begin = std::chrono::steady_clock::now();
  server.next(ct::delayed(50ms));
  EXPECT_EQ(status_of(start(client)), 200);
  server.next(ct::slow(1ms));
  EXPECT_EQ(status_of(start(client)), 200);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 100ms);
}

TEST(FakeServer, can_be_silent) {
  FakeServer server;
  auto client = client_of(server);
  client.set_read_timeout(20ms);
  server.next(ct::silent());
  EXPECT_FALSE(start(client));
  EXPECT_TRUE(eventually([&] { return server.started().size() == 1; }));
}

TEST(FakeServer, can_be_gone_for_good) {
  FakeServer server;
  auto client = client_of(server);
  server.next(ct::gone());
  EXPECT_FALSE(start(client));
  EXPECT_EQ(start(client).error(), httplib::Error::Connection);
  EXPECT_EQ(server.started().size(), 1U);
}

TEST(FakeServer, responds_hugely_compressed_or_not) {
  FakeServer server;
  constexpr std::size_t size = 32 * 1024 * 1024;
  server.always(ct::huge(size));
  auto client = client_of(server);
  const auto plain = start(client);
  ASSERT_EQ(status_of(plain), 200);
  EXPECT_EQ(plain->body.size(), size);
  EXPECT_EQ(json::parse(plain->body).at("status"), "OK");
  const auto compressed =
      client.Post("/v1/subscription", {{"Accept-Encoding", "gzip"}}, the_example.dump(), "application/json");
  ASSERT_EQ(status_of(compressed), 200);
  EXPECT_EQ(compressed->get_header_value("Content-Encoding"), "gzip");
  EXPECT_LT(std::stoul(compressed->get_header_value("Content-Length")), size / 100);
  EXPECT_EQ(compressed->body.size(), size);
  EXPECT_EQ(server.started().size(), 2U);
}

TEST(FakeServer, waits_for_bodies_and_says_whether_they_came) {
  const FakeServer server;
  EXPECT_FALSE(server.wait_for_bodies(1, 1ms));
  const std::jthread sender([&] {
    auto client = client_of(server);
    (void)start(client);
  });
  EXPECT_TRUE(server.wait_for_bodies(1, 10s));
}

TEST(FakeServer, closes_idle_connections_and_sends_stray_responses) {
  FakeServer server;
  auto client = client_of(server);
  EXPECT_EQ(status_of(start(client)), 200);
  EXPECT_EQ(server.gate().close_connections(), 1U);
  EXPECT_EQ(status_of(start(client)), 200);
  EXPECT_EQ(server.gate().connections(), 2U);
  EXPECT_EQ(server.gate().send_stray("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"), 1U);
  EXPECT_EQ(status_of(start(client)), 408);
}

TEST(FakeServer, speaks_tls_with_a_certificate_that_verifies) {
  const FakeServer server({.tls = true});
  EXPECT_TRUE(server.url().starts_with("https://127.0.0.1:"));
  const std::unique_ptr<BIO, decltype(&BIO_free)> pem(
      BIO_new_mem_buf(server.ca_pem().data(), static_cast<int>(server.ca_pem().size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> root(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr),
                                                         X509_free);
  X509_STORE* const store = X509_STORE_new();  // the client's from set_ca_cert_store on
  X509_STORE_add_cert(store, root.get());
  auto client = client_of(server);
  client.set_ca_cert_store(store);
  client.enable_server_certificate_verification(true);
  EXPECT_EQ(status_of(start(client)), 200);
  EXPECT_EQ(status_of(start(client)), 200);
  EXPECT_EQ(server.started().size(), 2U);
}

TEST(FakeServer, shows_where_it_is) {
  const FakeServer server;
  EXPECT_TRUE(server.url().starts_with("http://127.0.0.1:"));
  EXPECT_EQ(server.environment().api_url(), server.url());
  EXPECT_EQ(server.environment().login_url(), server.login_url());
  EXPECT_NE(server.login_url(), server.url());
  EXPECT_TRUE(server.ca_pem().empty());
}

TEST(FakeServer, leaves_the_programs_signals_alone) {
  struct sigaction before {};
  ::sigaction(SIGPIPE, nullptr, &before);
  const FakeServer server;
  struct sigaction after {};
  ::sigaction(SIGPIPE, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
}

TEST(FakeServer, survives_clients_that_leave_before_a_large_response) {
  FakeServer server;
  server.always(ct::huge(8 * 1024 * 1024));
  for (std::size_t i = 1; i <= 5; ++i) {
    auto client = client_of(server);
    (void)client.Post("/v1/subscription", {}, the_example.dump(), "application/json");
    auto hasty = client_of(server);
    hasty.set_read_timeout(1us);
    (void)start(hasty);
  }
  EXPECT_TRUE(server.wait_for_bodies(5, 10s));
}

TEST(FakeServer, comes_and_goes_at_once) {
  for (int i = 0; i < 50; ++i) const FakeServer server;
}

TEST(FakeServer, gives_each_of_many_exchanges_one_script) {
  FakeServer server;
  constexpr int threads = 8;
  constexpr int calls = 25;
  for (int i = 0; i < threads * calls; ++i) server.next(ct::response(200, std::to_string(i)));
  std::vector<std::set<std::string>> responses(threads);
  {
    std::vector<std::jthread> clients;
    for (auto& mine : responses) {
      clients.emplace_back([&] {
        auto client = client_of(server);
        for (int i = 0; i < calls; ++i) {
          if (const auto result = start(client)) mine.insert(result->body);
        }
      });
    }
  }
  std::set<std::string> all;
  for (const auto& some : responses) all.insert(some.begin(), some.end());
  EXPECT_EQ(all.size(), std::size_t{threads} * calls);
  EXPECT_EQ(server.gate().connections(), std::uint64_t{threads});
  EXPECT_EQ(server.bodies_received(), std::size_t{threads} * calls);
}

}  // namespace
