// The real client, the real transport, a fake server on loopback.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "support/documented_example.hpp"
#include "support/eventually.hpp"
#include "support/fault_bench.hpp"
#include "support/listener.hpp"

namespace connectid {
namespace {

using namespace std::chrono_literals;
using faults::Bench;
using faults::Choices;
using faults::valid_request;

class Start : public ::testing::TestWithParam<bool> {
 protected:
  static Choices choices() {
    Choices chosen;
    chosen.server.tls = GetParam();
    return chosen;
  }
};
INSTANTIATE_TEST_SUITE_P(Wire, Start, ::testing::Bool(), [](const auto& row) { return row.param ? "tls" : "plain"; });

TEST_P(Start, stores_the_documented_example_at_the_server) {
  Bench bench(choices());
  const auto result = bench.client.start(documented_example, {.call_id = "my-call"});
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->status, "OK");
  EXPECT_EQ(result->call.http_status, 200);
  EXPECT_EQ(result->call.attempts, 1);
  ASSERT_TRUE(result->call.sent_at);
  ASSERT_EQ(bench.server.started().size(), 1U);
  const auto stored = bench.server.started().front();
  EXPECT_EQ(stored.call_id, "my-call");
  EXPECT_EQ(stored.request.product, "CO27409");
  EXPECT_EQ(stored.request.end_time, documented_example.end_time);
  EXPECT_EQ(stored.request.coupon_number, 5223);
  const auto received = bench.server.received().front();
  EXPECT_EQ(received.path, "/v1/subscription");
  EXPECT_EQ(*http::find(received.headers, "Accept"), "application/json");
  EXPECT_EQ(*http::find(received.headers, "Content-Type"), "application/json");
  EXPECT_EQ(*http::find(received.headers, "User-Agent"), "connectid-cpp/" CONNECTID_VERSION);
  EXPECT_EQ(http::find(received.headers, "Expect"), nullptr);
  EXPECT_EQ(http::find(received.headers, "Cookie"), nullptr);
}

TEST_P(Start, with_copies_as_text_is_taken_too) {
  Bench bench(choices());
  const SubscriptionClient client({.environment = Environment::custom(bench.url()),
                                   .token_source = static_token("test-token"),
                                   .transport = bench.transport(),
                                   .copies_as_text = true});
  ASSERT_TRUE(client.start(valid_request));
  EXPECT_NE(bench.server.received().front().body.find(R"("copies":"1")"), std::string::npos);
}

TEST_P(Start, uses_one_connection_for_many_calls) {
  Bench bench(choices());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(bench.start());
  EXPECT_EQ(bench.server.gate().connections(), 1U);
  EXPECT_EQ(bench.server.started().size(), 20U);
}

TEST_P(Start, does_not_use_a_connection_that_was_idle_for_too_long) {
  Choices chosen = choices();
  chosen.curl.max_idle = 0ms;
  Bench bench(chosen);
  ASSERT_TRUE(bench.start());
  ASSERT_TRUE(bench.start());
  EXPECT_EQ(bench.server.gate().connections(), 2U);
}

TEST_P(Start, does_not_come_back_to_a_connection_that_it_replaced) {
  Choices chosen = choices();
  chosen.curl.max_idle = 300ms;
  Bench bench(chosen);
  ASSERT_TRUE(bench.start());
  std::this_thread::sleep_for(400ms);  // the idling is what is tested
  ASSERT_TRUE(bench.start());
  ASSERT_TRUE(bench.start());
  EXPECT_TRUE(eventually([&] { return bench.server.gate().open_connections() == 1; }))
      << "the old connection is kept beside the new one";
}

TEST_P(Start, after_a_lost_response_the_next_call_is_a_call_of_its_own) {
  Bench bench(choices());
  bench.server.next(testing::started_but_response_lost());
  EXPECT_EQ(faults::outcome_of(bench.start()), "unknown");
  EXPECT_EQ(faults::outcome_of(bench.start()), "started");
  EXPECT_EQ(bench.server.bodies_received(), 2U);
}

TEST_P(Start, remembers_and_obeys_nothing_that_a_response_says_about_logging_in) {
  const auto home = std::filesystem::temp_directory_path() / ("connectid-home-" + std::to_string(getpid()));
  std::filesystem::create_directories(home);
  std::ofstream(home / ".netrc") << "machine 127.0.0.1 login canary password canary\n";
  setenv("HOME", home.c_str(), 1);
  Bench bench(choices());
  for (int i = 0; i < 2; ++i) {
    bench.server.next(testing::response(401, "",
                                        {{"WWW-Authenticate", "Basic realm=\"x\""},
                                         {"Set-Cookie", "canary=1; Path=/"},
                                         {"Alt-Svc", "h2=\":1\""},
                                         {"Strict-Transport-Security", "max-age=1000"}}));
    EXPECT_EQ(faults::kind_of(bench.start()), "unauthorized");
  }
  std::filesystem::remove_all(home);
  ASSERT_EQ(bench.server.received().size(), 2U);
  for (const auto& received : bench.server.received()) {
    EXPECT_EQ(*http::find(received.headers, "Authorization"), "Bearer test-token");
    EXPECT_EQ(http::find(received.headers, "Cookie"), nullptr);
  }
}

TEST_P(Start, without_the_right_token_is_unauthorized) {
  Bench bench(choices());
  const SubscriptionClient client({.environment = Environment::custom(bench.url()),
                                   .token_source = static_token("wrong-canary-token"),
                                   .transport = bench.transport()});
  const auto result = client.start(valid_request);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::unauthorized);
  EXPECT_EQ(result.error().outcome(), Outcome::rejected);
  EXPECT_EQ(result.error().message().find("canary"), std::string::npos);
  EXPECT_TRUE(bench.server.started().empty());
}

TEST(StartOverTls, trusts_a_ca_file_as_well_as_a_blob) {
  testing::FakeServer server({.tls = true});
  const auto file = std::filesystem::temp_directory_path() / ("connectid-ca-" + std::to_string(getpid()) + ".pem");
  std::ofstream(file) << server.ca_pem();
  const SubscriptionClient client(
      {.environment = server.environment(),
       .token_source = static_token("test-token"),
       .transport = std::make_shared<http::CurlTransport>(http::CurlOptions{.ca_file = file})});
  const auto result = client.start(valid_request);
  std::filesystem::remove(file);
  EXPECT_TRUE(result) << result.error();
}

TEST(StartOverTls, a_ca_or_certificate_that_cannot_be_read_is_a_configuration_error) {
  testing::FakeServer server({.tls = true});
  for (const http::CurlOptions& broken :
       {http::CurlOptions{.ca_file = "/nowhere/ca.pem"}, http::CurlOptions{.ca_pem = "not a certificate"},
        http::CurlOptions{.ca_pem = server.ca_pem(), .client_certificate = "/nowhere/client.pem"}}) {
    const SubscriptionClient client({.environment = server.environment(),
                                     .token_source = static_token("test-token"),
                                     .transport = std::make_shared<http::CurlTransport>(broken)});
    const auto result = client.start(valid_request);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind(), ErrorKind::configuration_error) << result.error();
    EXPECT_EQ(result.error().outcome(), Outcome::not_sent);
  }
  EXPECT_EQ(server.bodies_received(), 0U);
}

TEST(StartOverTls, shows_its_client_certificate_to_a_server_that_asks) {
  testing::FakeServer server;
  const testing::Certificate certificate = testing::make_certificate();
  const testing::FaultGate gate(server.gate().port(),
                                {.certificate = certificate, .client_authority = certificate.authority});
  const auto file = std::filesystem::temp_directory_path() / ("connectid-client-" + std::to_string(getpid()) + ".pem");
  std::ofstream(file) << certificate.chain << certificate.key;
  const auto start = [&](const http::CurlOptions& options) {
    return SubscriptionClient({.environment = Environment::custom("https://127.0.0.1:" + std::to_string(gate.port())),
                               .token_source = static_token("test-token"),
                               .transport = std::make_shared<http::CurlTransport>(options)})
        .start(valid_request, {.timeout = 20s});
  };
  const auto shown = start({.ca_pem = certificate.authority, .client_certificate = file});
  EXPECT_TRUE(shown) << shown.error();
  const auto not_shown = start({.ca_pem = certificate.authority});
  EXPECT_FALSE(not_shown);
  std::filesystem::remove(file);
  EXPECT_EQ(server.bodies_received(), 1U);
}

TEST(StartOverTls, goes_through_a_proxy_that_connects) {
  testing::FakeServer server({.tls = true});
  // A gate before the TLS server is a proxy, once it has answered the CONNECT itself.
  testing::FaultGate proxy(server.gate().port(), {.plan = [](const testing::FaultGate::Position& at) {
                             testing::Fault fault;
                             if (at.number == 1) fault.response = "HTTP/1.1 200 Connection established\r\n\r\n";
                             return fault;
                           }});
  const auto transport = std::make_shared<http::CurlTransport>(
      http::CurlOptions{.ca_pem = server.ca_pem(), .proxy = "http://127.0.0.1:" + std::to_string(proxy.port())});
  const SubscriptionClient client(
      {.environment = server.environment(), .token_source = static_token("test-token"), .transport = transport});
  const auto result = client.start(valid_request, {.timeout = 20s});
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(proxy.connections(), 1U);
  EXPECT_EQ(server.bodies_received(), 1U);
}

TEST(StartOverTls, the_proxy_learns_the_hosts_name_and_not_the_bearer) {
  faults::Listener proxy(8);
  std::string heard;
  std::jthread answering([&] { heard = proxy.hear_and_say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"); });
  const SubscriptionClient client(
      {.environment = Environment::custom("https://api.example"),
       .token_source = static_token("canary-access-token"),
       .transport = std::make_shared<http::CurlTransport>(
           http::CurlOptions{.proxy = "http://user:hunter2-password@127.0.0.1:" + std::to_string(proxy.port())}),
       .retry_policy = {.max_attempts = 1}});  // the proxy hears one CONNECT and no more
  const auto result = client.start(valid_request, {.timeout = 20s, .headers = {{"X-Shop", "canary"}}});
  answering.join();  // only then is it written what it heard
  ASSERT_FALSE(result);
  ASSERT_TRUE(result.error().get_if<TransportError>()) << result.error();
  EXPECT_EQ(result.error().get_if<TransportError>()->cause, Cause::proxy_denied);
  EXPECT_EQ(result.error().outcome(), Outcome::not_sent);
  EXPECT_EQ(result.error().message().find("hunter2"), std::string::npos) << result.error().message();
  EXPECT_NE(result.error().message().find("HTTP 403"), std::string::npos) << result.error().message();
  EXPECT_TRUE(heard.starts_with("CONNECT api.example:443 HTTP/1.1\r\n")) << heard;
  EXPECT_EQ(heard.find("canary"), std::string::npos) << heard;
  EXPECT_EQ(heard.find("Bearer"), std::string::npos) << heard;
}

enum class Trusted { in_the_directory, in_the_bundle };

/// In a child with trusted authorities of its own, the server's among them: whoever names another authority must not
/// trust those as well. Exit status 0: not trusted; 1: trusted; 77: such a child cannot be had here.
int trusts_the_systems(Trusted where, const std::string& url, const testing::Certificate& system,
                       const http::CurlOptions& options) {
  const pid_t child = fork();
  if (child == 0) {
    const char* directory = "/etc/ssl/certs";
    const std::string bundle = std::string(directory) + "/ca-certificates.crt";
    std::stringstream kept;
    kept << std::ifstream(bundle).rdbuf();
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("none", directory, "tmpfs", 0, nullptr) != 0) {
      _exit(77);
    }
    std::ofstream(bundle) << kept.rdbuf() << (where == Trusted::in_the_bundle ? system.authority : "");
    const std::unique_ptr<BIO, decltype(&BIO_free)> pem(BIO_new_mem_buf(system.authority.c_str(), -1), &BIO_free);
    const std::unique_ptr<X509, decltype(&X509_free)> authority(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr),
                                                                &X509_free);
    char name[64];
    std::snprintf(name, sizeof name, "%s/%08lx.0", directory, X509_subject_name_hash(authority.get()));
    if (where == Trusted::in_the_directory) std::ofstream(name) << system.authority;
    http::CurlTransport transport(options);
    const http::AttemptResult attempt = transport.perform({.method = "GET", .url = url + "/x"}, {});
    _exit(std::holds_alternative<http::Response>(attempt) ? 1 : 0);
  }
  int state = 0;
  waitpid(child, &state, 0);
  return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

TEST(StartOverTls, a_ca_that_is_given_replaces_all_that_the_system_trusts) {
  testing::FakeServer server({.tls = true});
  const testing::Certificate system{.authority = server.ca_pem()};
  const std::string other = testing::make_certificate().authority;
  const auto file = std::filesystem::temp_directory_path() / ("connectid-other-" + std::to_string(getpid()) + ".pem");
  std::ofstream(file) << other;
  for (const Trusted where : {Trusted::in_the_directory, Trusted::in_the_bundle}) {
    const int without = trusts_the_systems(where, server.url(), system, {});
    if (without == 77) {
      std::filesystem::remove(file);
      GTEST_SKIP() << "no mount namespace can be had here";
    }
    EXPECT_EQ(without, 1) << "it is not what the system trusts: the test shows nothing";
    EXPECT_EQ(trusts_the_systems(where, server.url(), system, {.ca_pem = other}), 0);
    EXPECT_EQ(trusts_the_systems(where, server.url(), system, {.ca_file = file}), 0);
  }
  std::filesystem::remove(file);
}

TEST(CurlTransport, used_alone_refuses_what_it_must_not_send) {
  http::CurlTransport transport;
  const auto cause_of = [&](http::Request request) {
    const http::AttemptResult attempt = transport.perform(request, {});
    const auto* failure = std::get_if<http::Failure>(&attempt);
    EXPECT_TRUE(failure && !failure->body_left);
    return failure ? failure->cause : Cause::other;
  };
  EXPECT_EQ(cause_of({.method = "GET", .url = "http://192.0.2.1/", .headers = {}, .authorization = {}, .body = {}}),
            Cause::configuration);
  EXPECT_EQ(cause_of({.method = "GET", .url = "", .headers = {}, .authorization = {}, .body = {}}),
            Cause::configuration);
  EXPECT_EQ(cause_of({.method = "GET", .url = "file:///etc/passwd", .headers = {}, .authorization = {}, .body = {}}),
            Cause::configuration);
  EXPECT_EQ(cause_of({.method = "GET", .url = "http://127.0.0.1:1", .headers = {{"A", "b\r\nC: d"}}}),
            Cause::configuration);
  EXPECT_EQ(cause_of({.method = "GET", .url = "http://127.0.0.1:1", .authorization = "Bearer x\r\nC: d"}),
            Cause::configuration);
  EXPECT_EQ(cause_of({.method = "GET / HTTP/1.1\r\nC: d", .url = "http://127.0.0.1:1"}), Cause::configuration);
}

TEST(CurlTransport, goes_to_each_requests_own_url) {
  testing::FakeServer first;
  testing::FakeServer second;
  http::CurlTransport transport;
  for (const auto* server : {&first, &second, &first, &first, &second}) {
    const http::Request request{.method = "POST", .url = server->url() + "/somewhere", .body = "{}"};
    ASSERT_TRUE(std::holds_alternative<http::Response>(transport.perform(request, {})));
  }
  EXPECT_EQ(first.bodies_received(), 3U);
  EXPECT_EQ(second.bodies_received(), 2U);
  const auto refused = transport.perform({.method = "GET", .url = "http://example.com/"}, {});
  EXPECT_TRUE(std::holds_alternative<http::Failure>(refused));
}

TEST(CurlTransport, keeps_the_method_of_a_request_with_a_body) {
  testing::FakeServer server;
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    http::CurlTransport transport;  // httplib leaves a GET's body on the connection, where the next request begins
    static_cast<void>(transport.perform({.method = method, .url = server.url() + "/x", .body = "{}"}, {}));
    EXPECT_EQ(server.received().back().method, method);
  }
}

TEST(CurlTransport, a_request_without_a_body_counts_as_left_once_it_is_sent) {
  testing::FakeServer server;
  http::CurlTransport transport;
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    for (const bool used_before : {false, true}) {
      const http::Request request{
          .method = method, .url = server.url() + "/x", .headers = {}, .authorization = {}, .body = {}};
      if (used_before) ASSERT_TRUE(std::holds_alternative<http::Response>(transport.perform(request, {})));
      const auto exchanges = server.gate().exchanges();
      server.next(testing::lost_before_acting());
      const http::AttemptResult attempt = transport.perform(request, {});
      ASSERT_TRUE(std::holds_alternative<http::Failure>(attempt)) << method;
      EXPECT_TRUE(std::get<http::Failure>(attempt).body_left) << method;
      EXPECT_EQ(server.gate().exchanges() - exchanges, 1U) << method;
    }
  }
}

TEST_P(Start, of_a_request_without_a_body_at_most_one_is_sent_however_it_ends) {
  using testing::Fault;
  testing::FakeServer server({.tls = GetParam()});
  const testing::Script ends[] = {
      testing::lost_before_acting(Fault::End::fin),          testing::lost_before_acting(Fault::End::reset),
      testing::started_but_response_lost(Fault::End::reset), testing::truncate_request_at(1, Fault::End::fin),
      testing::truncate_request_at(20, Fault::End::reset),   testing::truncate_response_at(1, Fault::End::fin),
      testing::truncate_response_at(30, Fault::End::reset),  testing::garbage()};
  for (const char* method : {"GET", "POST"}) {
    for (const bool used_before : {false, true}) {
      for (const testing::Script& end : ends) {
        http::CurlTransport transport({.ca_pem = server.ca_pem()});
        const http::Request request{.method = method, .url = server.url() + "/x"};
        if (used_before) ASSERT_TRUE(std::holds_alternative<http::Response>(transport.perform(request, {})));
        const auto exchanges = server.gate().exchanges();
        const auto connections = server.gate().connections();
        server.next(end);
        const http::AttemptResult attempt = transport.perform(request, {});
        const auto* failure = std::get_if<http::Failure>(&attempt);
        ASSERT_TRUE(failure) << method;
        EXPECT_TRUE(failure->body_left) << method << ": " << failure->text;
        EXPECT_EQ(server.gate().exchanges() - exchanges, 1U) << method << ": " << failure->text;
        EXPECT_EQ(server.gate().connections() - connections, used_before ? 0U : 1U) << method << ": " << failure->text;
      }
    }
  }
}

class StartCrowdThreads : public Start {};
INSTANTIATE_TEST_SUITE_P(Wire, StartCrowdThreads, ::testing::Bool(),
                         [](const auto& row) { return row.param ? "tls" : "plain"; });
TEST_P(StartCrowdThreads, sixteen_on_one_client_start_two_thousand_each_exactly_once) {
  constexpr int threads = 16;
  constexpr int each = 2000;
  testing::FakeServer server({.tls = GetParam()});
  const SubscriptionClient client(
      {.environment = server.environment(),
       .token_source = static_token("test-token"),
       .transport = std::make_shared<http::CurlTransport>(http::CurlOptions{.ca_pem = server.ca_pem()}),
       .rate_limit = RateLimit::off()});
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < threads; ++t) {
      crowd.emplace_back([&client, t] {
        for (int i = 0; i < each; ++i) {
          StartSubscriptionRequest request = valid_request;
          request.customer_reference = std::to_string(t) + "-" + std::to_string(i);
          const auto result = client.start(request);
          ASSERT_TRUE(result) << result.error();
        }
      });
    }
  }
  std::map<std::string, int> times;
  for (const auto& stored : server.started()) ++times[stored.request.customer_reference];
  EXPECT_EQ(times.size(), static_cast<std::size_t>(threads * each));
  for (const auto& [reference, count] : times) ASSERT_EQ(count, 1) << reference;
  EXPECT_EQ(server.bodies_received(), static_cast<std::size_t>(threads * each));
  std::cout << "connections: " << server.gate().connections() << '\n';
  EXPECT_LE(server.gate().connections(), 2U * threads);
}

TEST(StartThreads, calls_are_cancelled_and_lost_among_others_and_every_outcome_is_true) {
  constexpr int threads = 8;
  constexpr int each = 100;
  testing::FakeServer server({.tls = true});
  const SubscriptionClient client(
      {.environment = server.environment(),
       .token_source = static_token("test-token"),
       .transport = std::make_shared<http::CurlTransport>(http::CurlOptions{.ca_pem = server.ca_pem()}),
       .retry_policy = {.break_circuit_after = 0},  // losses may come in a row, and each call must be made
       .rate_limit = RateLimit::off()});
  std::mutex mutex;
  std::map<std::string, std::string> outcomes;
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < threads; ++t) {
      crowd.emplace_back([&, t] {
        for (int i = 0; i < each; ++i) {
          StartSubscriptionRequest request = valid_request;
          request.customer_reference = std::to_string(t) + "-" + std::to_string(i);
          if (i % 5 == 0) server.next(i % 2 ? testing::lost_before_acting() : testing::started_but_response_lost());
          std::stop_source stop;
          std::jthread canceller;
          if (i % 7 == 0) canceller = std::jthread([&stop] { stop.request_stop(); });
          const auto result = client.start(request, {.timeout = 60s, .stop_token = stop.get_token()});
          const std::lock_guard lock(mutex);
          outcomes[request.customer_reference] = faults::outcome_of(result);
        }
      });
    }
  }
  std::map<std::string, int> at_server;
  for (const auto& stored : server.started()) ++at_server[stored.request.customer_reference];
  for (const auto& [reference, outcome] : outcomes) {
    ASSERT_LE(at_server[reference], 1) << reference;
    if (outcome == "started") ASSERT_EQ(at_server[reference], 1) << reference;
    if (outcome == "not_sent" || outcome == "rejected")
      ASSERT_EQ(at_server[reference], 0) << reference << ' ' << outcome;
  }
}

}  // namespace
}  // namespace connectid
