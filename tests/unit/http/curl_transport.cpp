// What a transport makes of its connections, against a server that does one thing wrong, or slowly.
#include <connectid/http/curl_transport.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <latch>
#include <string>
#include <thread>

#include "base/sha256.hpp"
#include "support/eventually.hpp"
#include "support/loopback_server.hpp"
#include "support/temporary_directory.hpp"

namespace connectid::http {
namespace {

using namespace std::chrono_literals;
using Peer = LoopbackServer::Peer;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

Limits limits() { return {.deadline = std::chrono::steady_clock::now() + 30s}; }

/// Answers each request without a body so, until the client leaves.
auto answering(const std::string& response) {
  return [response](Peer& peer) {
    while (!peer.hear_head().empty()) peer.say(response);
  };
}

AttemptResult get(CurlTransport& transport, const LoopbackServer& server) {
  return transport.perform({.method = "GET", .url = server.url() + "/x"}, limits());
}

::testing::AssertionResult is_answered(const AttemptResult& result) {
  if (const auto* failure = std::get_if<Failure>(&result)) return ::testing::AssertionFailure() << failure->text;
  const auto& response = std::get<Response>(result);
  if (response.truncated) return ::testing::AssertionFailure() << response.truncated->text;
  return ::testing::AssertionSuccess();
}

class TransportWire : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Wire, TransportWire, ::testing::Bool(),
                         [](const auto& row) { return row.param ? "tls" : "plain"; });

TEST_P(TransportWire, sends_eight_megabytes_once_and_whole_to_a_peer_that_reads_slowly) {
  constexpr std::size_t size = 8 * 1024 * 1024;
  LoopbackServer server({.tls = GetParam(), .receive_buffer = 4096}, [](Peer& peer) {
    static_cast<void>(peer.hear_head());
    std::string heard = peer.hear_all_of(1);
    std::this_thread::sleep_for(50ms);  // time for the client to meet a full buffer; shorter, the test only shows less
    heard += peer.hear_all_of(size - 1);
    const std::string hash = detail::to_hex(detail::sha256(heard));
    peer.say("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(hash.size()) + "\r\n\r\n" + hash);
    EXPECT_EQ(peer.hear(), "") << "more than the request came";
  });
  std::string body(size, 'x');
  for (std::size_t i = 0; i < size; i += 1000) body[i] = static_cast<char>('a' + i / 1000 % 26);
  AttemptResult result;
  {
    CurlTransport transport({.ca_pem = server.authority()});
    result = transport.perform({.method = "POST", .url = server.url(), .body = body}, limits());
  }
  ASSERT_TRUE(is_answered(result));
  EXPECT_EQ(std::get<Response>(result).body, detail::to_hex(detail::sha256(body)));
  EXPECT_EQ(std::get<Response>(result).left, Left::whole);
  EXPECT_EQ(server.connections(), 1);
}

TEST_P(TransportWire, the_time_for_connecting_is_over_once_it_is_connected) {
  LoopbackServer server({.tls = GetParam()}, [](Peer& peer) {
    static_cast<void>(peer.hear_head());
    std::this_thread::sleep_for(1s);  // longer than connecting may take
    peer.say(ok);
  });
  CurlTransport transport({.ca_pem = server.authority()});
  Limits short_for_connecting = limits();
  short_for_connecting.connect_timeout = 300ms;
  const AttemptResult result = transport.perform({.method = "GET", .url = server.url()}, short_for_connecting);
  EXPECT_TRUE(is_answered(result));
}

/// A server that says its first byte and only then reads on has decided before it had the request.
TEST_P(TransportWire, a_response_that_began_before_the_request_had_left_is_early_even_if_the_rest_leaves_meanwhile) {
  static constexpr std::size_t size = 16 << 20;
  LoopbackServer server({.tls = GetParam(), .receive_buffer = 4096}, [](Peer& peer) {
    static_cast<void>(peer.hear_head());
    peer.say("HTTP/1.1 200 O");
    EXPECT_EQ(peer.hear_all_of(size).size(), size);
    peer.say("K\r\nContent-Length: 2\r\n\r\n{}");
    EXPECT_EQ(peer.hear(), "") << "the connection was used again";
  });
  AttemptResult result;
  {
    CurlTransport transport({.ca_pem = server.authority()});
    result = transport.perform({.method = "POST", .url = server.url(), .body = std::string(size, 'x')}, limits());
  }
  ASSERT_TRUE(is_answered(result));
  EXPECT_EQ(std::get<Response>(result).left, Left::part);
}

TEST_P(TransportWire, a_reset_within_a_request_is_an_end_with_a_cause_and_is_not_tried_again) {
  LoopbackServer server({.tls = GetParam()}, [](Peer& peer) {
    static_cast<void>(peer.hear_head());
    peer.reset();
  });
  CurlTransport transport({.ca_pem = server.authority()});
  for (const std::size_t size : {0U, 10U, 4U * 1024 * 1024}) {
    const int before = server.connections();
    const AttemptResult result =
        transport.perform({.method = "POST", .url = server.url(), .body = std::string(size, 'x')}, limits());
    const auto* failure = std::get_if<Failure>(&result);
    ASSERT_TRUE(failure);
    EXPECT_TRUE(failure->cause == Cause::reset || failure->cause == Cause::closed) << failure->text;
    EXPECT_TRUE(failure->body_left);
    EXPECT_EQ(server.connections() - before, 1);
  }
}

// libcurl before 8.6 does not tell a TLS connection that was cut off from one that ended in order.
TEST_P(TransportWire, a_body_that_only_the_close_ends_is_never_framed) {
  for (const bool in_order : {false, true}) {
    if (in_order && !GetParam()) continue;
    LoopbackServer server({.tls = GetParam()}, [in_order](Peer& peer) {
      static_cast<void>(peer.hear_head());
      peer.say("HTTP/1.1 200 OK\r\n\r\n{\"status\":\"OK\"}");
      if (in_order) peer.say_close_notify();
      peer.fin();
      static_cast<void>(peer.hear());
    });
    CurlTransport transport({.ca_pem = server.authority()});
    const AttemptResult result = get(transport, server);
    ASSERT_TRUE(std::holds_alternative<Response>(result));
    EXPECT_EQ(std::get<Response>(result).body, "{\"status\":\"OK\"}");
    EXPECT_FALSE(std::get<Response>(result).framed);
  }
}

TEST_P(TransportWire, a_body_that_ends_before_its_length_is_truncated) {
  LoopbackServer server({.tls = GetParam()}, [](Peer& peer) {
    static_cast<void>(peer.hear_head());
    peer.say("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}");
    peer.fin();
    static_cast<void>(peer.hear());
  });
  CurlTransport transport({.ca_pem = server.authority()});
  const AttemptResult result = get(transport, server);
  ASSERT_TRUE(std::holds_alternative<Response>(result));
  EXPECT_TRUE(std::get<Response>(result).truncated);
  EXPECT_FALSE(std::get<Response>(result).framed);
}

struct KeepAliveCase {
  const char* name;
  const char* field;
  std::chrono::milliseconds max_idle;
  std::chrono::milliseconds idle;
  int connections;
};
class KeepAlive : public ::testing::TestWithParam<KeepAliveCase> {};
TEST_P(KeepAlive, shortens_how_long_a_connection_is_used_and_never_lengthens_it) {
  LoopbackServer server({},
                        answering(std::string("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n") + GetParam().field + "\r\n"));
  CurlTransport transport({.max_idle = GetParam().max_idle});
  ASSERT_TRUE(is_answered(get(transport, server)));
  std::this_thread::sleep_for(GetParam().idle);  // the idling is what is tested
  ASSERT_TRUE(is_answered(get(transport, server)));
  EXPECT_EQ(server.connections(), GetParam().connections);
}
const KeepAliveCase keep_alives[] = {
    {"none", "", 60s, 0ms, 1},
    {"none_and_a_time_without_end", "", std::chrono::milliseconds::max(), 0ms, 1},
    {"none_and_too_old", "", 50ms, 60ms, 2},
    {"zero", "Keep-Alive: timeout=0\r\n", 60s, 0ms, 2},
    {"one_second_leaves_half_of_it", "Keep-Alive: timeout=1\r\n", 60s, 600ms, 2},
    {"half_a_minute", "Keep-Alive: timeout=30, max=100\r\n", 60s, 0ms, 1},
    {"longer_than_our_own", "Keep-Alive: timeout=30\r\n", 50ms, 60ms, 2},
    {"a_century", "Keep-Alive: timeout=4294967295\r\n", 60s, 0ms, 1},
    {"a_century_and_a_time_without_end", "Keep-Alive: timeout=4294967295\r\n", std::chrono::milliseconds::max(), 0ms,
     1},
    {"nonsense", "Keep-Alive: timeout=soon\r\n", 60s, 0ms, 1},
};
INSTANTIATE_TEST_SUITE_P(Table, KeepAlive, ::testing::ValuesIn(keep_alives),
                         [](const auto& row) { return row.param.name; });

class Sessions : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Versions, Sessions, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& row) { return row.param == TLS1_2_VERSION ? "tls_1_2" : "tls_1_3"; });

TEST_P(Sessions, of_one_transport_are_resumed_and_those_of_another_are_not) {
  LoopbackServer server({.tls = true, .newest_tls = GetParam()}, answering(ok));
  {
    CurlTransport transport({.ca_pem = server.authority(), .max_idle = 0ms});
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(is_answered(get(transport, server)));
  }
  CurlTransport other({.ca_pem = server.authority(), .max_idle = 0ms});
  ASSERT_TRUE(is_answered(get(other, server)));
  EXPECT_EQ(server.resumed(), (std::vector{false, true, true, true, false}));
}

TEST_P(Sessions, are_resumed_by_the_threads_of_one_transport) {
  LoopbackServer server({.tls = true, .newest_tls = GetParam()}, answering(ok));
  CurlTransport transport({.ca_pem = server.authority(), .max_idle = 0ms});
  ASSERT_TRUE(is_answered(get(transport, server)));
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < 4; ++t) {
      crowd.emplace_back([&] {
        for (int i = 0; i < 10; ++i) ASSERT_TRUE(is_answered(get(transport, server)));
      });
    }
  }
  const auto resumed = server.resumed();
  ASSERT_EQ(resumed.size(), 41U);
  const auto count = std::ranges::count(resumed, true);
  std::cout << "resumed: " << count << " of 40\n";
  EXPECT_GE(count, 10);  // a session that one takes may be there for no other until it comes back
}

TEST(Authorities, of_a_file_are_read_once_a_transport) {
  TemporaryDirectory directory;
  const std::string file = directory / "authority.pem";
  LoopbackServer server({.tls = true, .tickets = 0}, answering(ok));  // each handshake verifies anew
  std::ofstream(file) << server.authority();
  CurlTransport transport({.ca_file = file, .max_idle = 0ms});
  ASSERT_TRUE(is_answered(get(transport, server)));
  std::filesystem::remove(file);
  EXPECT_TRUE(is_answered(get(transport, server)));
  EXPECT_EQ(server.resumed(), (std::vector{false, false}));
}

TEST(Authorities, that_are_given_do_not_vouch_for_another_authoritys_server) {
  TemporaryDirectory directory;
  const std::string other = testing::make_certificate().authority;
  std::ofstream(directory / "other.pem") << other;
  LoopbackServer server({.tls = true}, answering(ok));
  for (const CurlOptions& options : {CurlOptions{.ca_file = directory / "other.pem"}, CurlOptions{.ca_pem = other},
                                     CurlOptions{.ca_file = directory / "other.pem", .ca_pem = other}, CurlOptions{}}) {
    CurlTransport transport(options);
    const AttemptResult result = get(transport, server);
    const auto* failure = std::get_if<Failure>(&result);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->cause, Cause::certificate) << failure->text;
    EXPECT_FALSE(failure->body_left);
  }
}

// libcurl before 8.3 would load its own into them, each connection anew: ThreadSanitizer sees that.
TEST(AuthoritiesThreads, are_shared_by_first_connections_at_once) {
  LoopbackServer server({.tls = true}, answering(ok));
  for (int i = 0; i < 20; ++i) {
    CurlTransport transport({.ca_pem = server.authority(), .max_idle = 0ms});
    std::latch all_there(8);
    std::vector<std::jthread> crowd;
    for (int t = 0; t < 8; ++t) {
      crowd.emplace_back([&] {
        all_there.arrive_and_wait();
        EXPECT_TRUE(is_answered(get(transport, server)));
      });
    }
  }
}

TEST(Authorities, that_are_several_each_vouch) {
  LoopbackServer first({.tls = true}, answering(ok));
  LoopbackServer second({.tls = true}, answering(ok));
  CurlTransport transport({.ca_pem = first.authority() + second.authority()});
  EXPECT_TRUE(is_answered(get(transport, first)));
  EXPECT_TRUE(is_answered(get(transport, second)));
}

}  // namespace
}  // namespace connectid::http
