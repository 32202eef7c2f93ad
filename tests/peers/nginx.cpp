// nginx, which responds before it has read a body, and closes what was idle for too long.
#include <connectid/testing/certificate.hpp>
#include <connectid/testing/fake_server.hpp>

#include <atomic>
#include <iostream>
#include <random>
#include <set>

#include "support/peer.hpp"
#include "support/peer_calls.hpp"

namespace connectid::peers {
namespace {

using namespace std::chrono_literals;
using faults::valid_request;

/// One process, so that its pid is all there is to end; its log has a line a request, beginning with the connection's
/// number.
Recipe nginx(const std::string& http, std::map<std::string, std::string> files = {}) {
  files["nginx.conf"] = R"(
daemon off;
master_process off;
pid @DIRECTORY@/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  log_format line '$connection $status $request_length';
  access_log @DIRECTORY@/access.log line;
  client_body_temp_path @DIRECTORY@/bodies;
  proxy_temp_path @DIRECTORY@/proxied;
  fastcgi_temp_path @DIRECTORY@/fastcgi;
  uwsgi_temp_path @DIRECTORY@/uwsgi;
  scgi_temp_path @DIRECTORY@/scgi;
  default_type application/json;
)" + http + "}\n";
  return {.program = "nginx",
          .arguments = {"-e", "stderr", "-p", "@DIRECTORY@", "-c", "@DIRECTORY@/nginx.conf"},
          .files = std::move(files)};
}

template <class Base>
class NeedsNginx : public Base {
 protected:
  void SetUp() override {
    if (!path_of("nginx")) GTEST_SKIP() << "nginx is not installed (Debian's package: nginx)";
  }
};

struct EarlyResponse {
  std::string name;
  std::string location;  ///< what nginx does with every request
  std::string ends;      ///< outcome and kind of every start
  bool tls = false;

  friend std::ostream& operator<<(std::ostream& out, const EarlyResponse& row) { return out << row.name; }
};

class NginxResponsesEarly : public NeedsNginx<::testing::TestWithParam<EarlyResponse>> {};
INSTANTIATE_TEST_SUITE_P(
    Nginx, NginxResponsesEarly,
    ::testing::Values(EarlyResponse{"401_in_html", "return 401;", "rejected / unauthorized"},
                      EarlyResponse{"401_in_html_over_tls", "return 401;", "rejected / unauthorized", true},
                      EarlyResponse{"401_in_json_with_a_challenge",
                                    R"(add_header WWW-Authenticate 'Bearer error="invalid_token"' always;
                       return 401 '{"error":"invalid_token"}';)",
                                    "rejected / unauthorized"},
                      EarlyResponse{"429_in_html", "return 429;", "rejected / rate_limited"},
                      EarlyResponse{"429_in_json_with_a_pause",
                                    R"(add_header Retry-After 7 always; return 429 '{"error":"busy"}';)",
                                    "rejected / rate_limited"},
                      EarlyResponse{"200_in_json", R"(return 200 '{"status":"OK"}';)", "started"}),
    [](const auto& row) { return row.param.name; });

TEST_P(NginxResponsesEarly, and_8000_starts_in_8_threads_end_so) {
  constexpr int starts = 8000;
  constexpr int threads = 8;
  const auto certificate = testing::make_certificate();
  const Peer server(nginx("server { listen 127.0.0.1:@PORT@" + std::string(GetParam().tls ? " ssl" : "") + R"(;
               ssl_certificate @DIRECTORY@/chain.pem;
               ssl_certificate_key @DIRECTORY@/key.pem;
               location / { )" +
                              GetParam().location + " } }\n",
                          {{"chain.pem", certificate.chain}, {"key.pem", certificate.key}}));
  const auto client =
      client_of(GetParam().tls ? "https" + server.url().substr(4) : server.url(), {.ca_pem = certificate.authority});
  Tally tally;
  in_threads(threads, [&](int) {
    for (int i = 0; i < starts / threads; ++i) tally.add(client.start(valid_request));
  });
  const int as_answered = tally.beginning_with(GetParam().ends);
  std::cout << "  " << GetParam().name << ": " << starts - as_answered << " of " << starts << " are not "
            << GetParam().ends << '\n'
            << tally;
  EXPECT_EQ(as_answered, starts);
  EXPECT_LE(server.lines_of("access.log").size(), static_cast<std::size_t>(starts)) << "something was sent twice";
}

/// How 1,000 starts end whose connection was idle for as long as nginx keeps it, give or take 20 ms.
struct Idle {
  std::string name;
  std::string keepalive;
  int unknowns_allowed;  ///< of 1,000

  friend std::ostream& operator<<(std::ostream& out, const Idle& row) { return out << row.name; }
};

class NginxClosesIdleConnections : public NeedsNginx<::testing::TestWithParam<Idle>> {};
INSTANTIATE_TEST_SUITE_P(Nginx, NginxClosesIdleConnections,
                         ::testing::Values(
                             // It says `Keep-Alive: timeout=1`: nobody needs to come too late.
                             Idle{"after_1_s_and_says_so", "1s 1s", 0},
                             // Whoever comes in the moment in which it closes cannot know better.
                             Idle{"after_1_s_and_does_not_say_so", "1s", 50}),
                         [](const auto& row) { return row.param.name; });

TEST_P(NginxClosesIdleConnections, while_1000_starts_come_just_then) {
  constexpr int starts = 1000;
  constexpr int threads = 100;  // each has a connection of its own, and is idle nearly always
  testing::FakeServer behind;   // so that nginx reads the whole request before anything is answered
  const Peer server(nginx("keepalive_timeout " + GetParam().keepalive + R"(;
    server { listen 127.0.0.1:@PORT@; location / { proxy_pass )" +
                          behind.url() + "; } }\n"));
  Tally tally;
  std::atomic<int> first_ones{0};
  in_threads(threads, [&](int thread) {
    const auto client = client_of(server.url());
    std::mt19937 dice(static_cast<unsigned>(thread));
    std::uniform_int_distribution<int> idle(980'000, 1'020'000);
    first_ones += client.start(valid_request) ? 1 : 0;
    for (int i = 0; i < starts / threads; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds{idle(dice)});  // the idling is what is tested
      tally.add(client.start(valid_request));
    }
  });
  std::set<std::string> connections;
  for (const auto& line : server.lines_of("access.log")) connections.insert(line.substr(0, line.find(' ')));
  const int unknowns = tally.beginning_with("unknown");
  const int started = tally.beginning_with("started");
  std::cout << "  " << GetParam().name << ": " << unknowns << " unknown and " << tally.beginning_with("not_sent")
            << " not_sent of " << starts << "; with the first ones " << behind.bodies_received()
            << " bodies at the server, on " << connections.size() << " connections\n"
            << tally;
  EXPECT_EQ(first_ones, threads);
  EXPECT_LE(unknowns, GetParam().unknowns_allowed);
  EXPECT_EQ(tally.beginning_with("not_sent"), 0);
  EXPECT_EQ(unknowns + started, starts);
  EXPECT_GE(behind.bodies_received(), static_cast<std::size_t>(first_ones + started));
  EXPECT_LE(behind.bodies_received(), static_cast<std::size_t>(first_ones + started + unknowns));
}

/// nginx as a gateway before two back ends, which are one.
struct Gateway {
  std::string name;
  std::string next_upstream;
  std::size_t bodies;  ///< that the server gets of one start

  friend std::ostream& operator<<(std::ostream& out, const Gateway& row) { return out << row.name; }
};

class NginxAsAGateway : public NeedsNginx<::testing::TestWithParam<Gateway>> {};
INSTANTIATE_TEST_SUITE_P(Nginx, NginxAsAGateway,
                         ::testing::Values(Gateway{"by_default_does_not_repeat", "error timeout", 1},
                                           Gateway{"with_non_idempotent_repeats", "error timeout non_idempotent", 2}),
                         [](const auto& row) { return row.param.name; });

TEST_P(NginxAsAGateway, what_was_sent_once_and_whose_response_is_lost) {
  testing::FakeServer server;
  server.always(testing::started_but_response_lost());
  const std::string port = std::to_string(server.gate().port());
  const Peer gateway(nginx("upstream api { server 127.0.0.1:" + port + "; server localhost:" + port + R"(; }
    server { listen 127.0.0.1:@PORT@;
             location / { proxy_pass http://api; proxy_next_upstream )" +
                           GetParam().next_upstream + "; } }\n"));
  testing::FaultGate sent(gateway.port());
  const auto client = client_of("http://127.0.0.1:" + std::to_string(sent.port()));
  const auto result = client.start(valid_request);
  std::cout << "  " << GetParam().name << ": one start, " << sent.exchanges() << " sent by the client, "
            << server.bodies_received() << " bodies at the server, " << faults::outcome_of(result) << '\n';
  EXPECT_EQ(sent.exchanges(), 1U);
  EXPECT_EQ(server.bodies_received(), GetParam().bodies);
  EXPECT_EQ(faults::outcome_of(result), "unknown");
  EXPECT_EQ(faults::kind_of(result), "server_error");
}

}  // namespace
}  // namespace connectid::peers
