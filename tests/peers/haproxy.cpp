// HAProxy as a reverse proxy before the fake server.
#include <connectid/testing/fake_server.hpp>

#include <iostream>
#include <set>

#include "support/peer.hpp"
#include "support/peer_calls.hpp"

namespace connectid::peers {
namespace {

using faults::kind_of;
using faults::outcome_of;
using faults::valid_request;

Recipe haproxy(testing::FakeServer& server, const std::string& backend = "retries 0") {
  return {.program = "haproxy", .arguments = {"-db", "-f", "@DIRECTORY@/haproxy.cfg"}, .files = {{"haproxy.cfg", R"(
global
  maxconn 500
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend api
  bind 127.0.0.1:@PORT@
  default_backend server
backend server
  )" + backend + R"(
  server one 127.0.0.1:)" + std::to_string(server.gate().port()) + "\n"}}};
}

class Haproxy : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!path_of("haproxy")) GTEST_SKIP() << "haproxy is not installed (Debian's package: haproxy)";
  }
  testing::FakeServer server;
};

TEST_F(Haproxy, takes_2000_starts_of_8_threads_and_each_is_started_exactly_once) {
  constexpr int starts = 2000;
  constexpr int threads = 8;
  const Peer gateway(haproxy(server));
  const auto client = client_of(gateway.url());
  Tally tally;
  in_threads(threads, [&](int) {
    for (int i = 0; i < starts / threads; ++i) tally.add(client.start(valid_request));
  });
  std::cout << "  through HAProxy, " << server.bodies_received() << " bodies at the server:\n" << tally;
  EXPECT_EQ(tally.beginning_with("started"), starts);
  EXPECT_EQ(server.bodies_received(), static_cast<std::size_t>(starts));
  std::set<std::string> calls;
  for (const auto& subscription : server.started()) calls.insert(subscription.call_id);
  EXPECT_EQ(calls.size(), static_cast<std::size_t>(starts));
}

TEST_F(Haproxy, without_a_back_end_sends_503_which_may_have_acted) {
  const Peer gateway(haproxy(server));
  server.gate().stop_listening();
  const auto result = client_of(gateway.url()).start(valid_request);
  ASSERT_FALSE(result);
  EXPECT_EQ(outcome_of(result), "unknown");
  EXPECT_EQ(kind_of(result), "server_error");
  EXPECT_EQ(result.error().http_status(), 503);
}

TEST_F(Haproxy, that_denies_a_response_has_said_nothing_of_what_the_back_end_did) {
  std::size_t starts = 0;
  for (const auto& [rule, status] : {std::pair{"http-response deny", 502},  // its default
                                     std::pair{"http-response deny deny_status 403", 403}}) {
    SCOPED_TRACE(rule);
    const Peer gateway(haproxy(server, rule));
    const auto result = client_of(gateway.url()).start(valid_request);
    ASSERT_FALSE(result);
    std::cout << "  " << rule << ": " << outcome_of(result) << " / " << result.error() << '\n';
    EXPECT_EQ(server.started().size(), ++starts);
    EXPECT_EQ(outcome_of(result), "unknown");
    EXPECT_EQ(result.error().http_status(), status);
  }
}

struct Repeats {
  std::string name;
  std::string backend;
  bool back_end_recovers;  ///< only the first response is lost
  std::size_t bodies;      ///< that the server gets of one start
  std::string outcome;     ///< what the client is told

  friend std::ostream& operator<<(std::ostream& out, const Repeats& row) { return out << row.name; }
};

// What a gateway must not do (the first two rows), and how HAProxy is kept from it.
class HaproxyRepeats : public ::testing::TestWithParam<Repeats> {
 protected:
  void SetUp() override {
    if (!path_of("haproxy")) GTEST_SKIP() << "haproxy is not installed (Debian's package: haproxy)";
  }
};
constexpr const char* repeating = "retries 3\n  option redispatch\n  retry-on all-retryable-errors";
INSTANTIATE_TEST_SUITE_P(
    Haproxy, HaproxyRepeats,
    ::testing::Values(Repeats{"with_retry_on_and_starts_twice", repeating, true, 2, "started"},
                      Repeats{"with_retry_on_and_starts_four_times", repeating, false, 4, "unknown"},
                      Repeats{"not_what_is_exempt",
                              std::string(repeating) + "\n  http-request disable-l7-retry if METH_POST", false, 1,
                              "unknown"},
                      Repeats{"not_by_default", "option redispatch", false, 1, "unknown"}),
    [](const auto& row) { return row.param.name; });

TEST_P(HaproxyRepeats, what_the_client_has_sent_once) {
  testing::FakeServer server;
  const auto lost = testing::started_but_response_lost();
  if (GetParam().back_end_recovers) {
    server.next(lost);
  } else {
    server.always(lost);
  }
  const Peer gateway(haproxy(server, GetParam().backend));
  testing::FaultGate sent(gateway.port());
  const auto result = client_of("http://127.0.0.1:" + std::to_string(sent.port())).start(valid_request);
  std::cout << "  " << GetParam().name << ": one start, " << sent.exchanges() << " sent by the client, "
            << server.bodies_received() << " bodies and " << server.started().size()
            << " started at the server; the client: " << outcome_of(result) << '\n';
  EXPECT_EQ(sent.exchanges(), 1U);
  EXPECT_EQ(server.bodies_received(), GetParam().bodies);
  EXPECT_EQ(outcome_of(result), GetParam().outcome);
}

}  // namespace
}  // namespace connectid::peers
