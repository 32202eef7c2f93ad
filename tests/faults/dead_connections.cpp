// Connections that nobody is at the other end of, and those that are not to be used again. Nothing leaves on them.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "row_makers.hpp"
#include "testing/socket.hpp"

namespace connectid::faults {
namespace {

using namespace std::chrono_literals;
using testing::Fault;
using testing::FaultGate;
using testing::Script;
using End = Fault::End;

// ---- idle connections that ended

constexpr std::size_t many = 16;  // as many as are kept

/// As many idle connections as are kept: that many starts at once, each with a connection of its own.
void fill_the_pool(Bench& bench) {
  bench.server.always(testing::delayed(200ms));
  for (int round = 0; round < 20 && bench.server.gate().open_connections() < many; ++round) {
    std::vector<std::jthread> starts;
    for (std::size_t start = 0; start < many; ++start)
      starts.emplace_back([&bench] { EXPECT_TRUE(bench.client.start(valid_request)); });
  }
  bench.server.always({});
  ASSERT_EQ(bench.server.gate().open_connections(), many);
}

/// Every idle connection meets this before the call. It goes on with a new one, in the same attempt.
Row replaced(std::string name, std::string what, std::function<void(Bench&)> arm, unsigned variants = reused) {
  return {.name = "idle_connection" + std::move(name),
          .what = std::move(what) + ": it is replaced, one body arrives",
          .outcome = started,
          .kind = "",
          .more_connections = 1,
          .variants = variants,
          .arm = std::move(arm)};
}

Row all_replaced(std::string name, std::string what, std::function<void(Bench&)> arm) {
  Row row = replaced("s_all_" + std::move(name), std::move(what), std::move(arm));
  row.warm_up = fill_the_pool;
  return row;
}

std::vector<Row> ended() {
  const auto closed = [](End how, std::size_t count = 1) {
    return [how, count](Bench& bench) { ASSERT_EQ(bench.server.gate().close_connections(how), count); };
  };
  return {
      replaced("_closed_with_close_notify", "closed the idle connection with a close_notify", closed(End::close_notify),
               reused_tls),
      all_replaced("closed", "closed all of sixteen idle connections", closed(End::fin, many)),
      all_replaced("reset", "reset all of sixteen idle connections", closed(End::reset, many)),
      all_replaced("with_a_stray_408", "left a 408 on each of sixteen idle connections",
                   [](Bench& bench) {
                     ASSERT_EQ(bench.server.gate().send_stray("HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n"), many);
                   }),
  };
}

// ---- idle connections that are not used again

/// After a first start that was answered so.
Row after_a_response(
    std::string name, std::string what, std::string response, bool is_reused,
    std::function<void(Choices&)> choose = [](Choices&) {}, std::chrono::milliseconds pause = 0ms) {
  Row row{.name = "idle_after_" + std::move(name),
          .what = "responded to the start before " + std::move(what) +
                  (is_reused ? ": its connection is used again" : ": its connection is not used again"),
          .outcome = started,
          .kind = "",
          .more_connections = is_reused ? 0 : 1,
          .variants = reused,
          .choose = std::move(choose)};
  row.warm_up = [response = std::move(response), pause](Bench& bench) {
    bench.server.next(testing::raw_response(response));
    const auto first = bench.client.start(valid_request);
    ASSERT_TRUE(first) << first.error();
    std::this_thread::sleep_for(pause);
  };
  return row;
}

std::vector<Row> not_used_again() {
  const auto ok = [](const std::string& headers, const std::string& version = "1.1") {
    return "HTTP/" + version + " 200 OK\r\n" + headers + "Content-Length: 15\r\n\r\n" + ok_body;
  };
  const auto idle_for = [](std::chrono::milliseconds time) {
    return [time](Choices& choices) { choices.curl.max_idle = time; };
  };
  return {
      after_a_response("connection_close", "with `Connection: close` and did not close", ok("Connection: close\r\n"),
                       false),
      after_a_response("connection_close_in_a_list", "with `Connection: x, Close` and did not close",
                       ok("Connection: x, Close\r\n"), false),
      after_a_response("http_1_0", "in HTTP/1.0 with a length", ok("", "1.0"), false),
      after_a_response("http_1_0_keep_alive", "in HTTP/1.0 with `Connection: keep-alive`",
                       ok("Connection: keep-alive\r\n", "1.0"), false),
      after_a_response("keep_alive_0", "with `Keep-Alive: timeout=0`", ok("Keep-Alive: timeout=0\r\n"), false),
      after_a_response("keep_alive_1", "with `Keep-Alive: timeout=1`, 600 ms ago", ok("Keep-Alive: timeout=1\r\n"),
                       false, idle_for(1min), 600ms),
      after_a_response("keep_alive_60", "with `Keep-Alive: timeout=60, max=100`",
                       ok("Keep-Alive: timeout=60, max=100\r\n"), true, idle_for(1min)),
      after_a_response("max_idle", "with `Keep-Alive: timeout=60`, longer ago than `max_idle` (50 ms)",
                       ok("Keep-Alive: timeout=60\r\n"), false, idle_for(50ms), 100ms),
      after_a_response("no_idle_connections", "(`max_idle_connections` is 0)", ok(""), false,
                       [](Choices& choices) { choices.curl.max_idle_connections = 0; }),
  };
}

// ---- what TLS says for itself

std::vector<Row> in_tls() {
  const auto aside = [](std::string name, const std::string& what, FaultGate::Aside said, int times) {
    return Row{.name = "tls_" + std::move(name) + "_on_an_idle_connection",
               .what = "sent " + what + " on the idle connection: it is no stray byte",
               .outcome = started,
               .kind = "",
               .variants = reused_tls,
               .arm = [said, times](Bench& bench) {
                 for (int i = 0; i < times; ++i) ASSERT_EQ(bench.server.gate().send_aside(said), 1U);
               }};
  };
  // What lies behind a ticket is seen, although reading the ticket brought no byte.
  const auto ticket_and = [](std::string name, std::string what, std::function<std::size_t(FaultGate&)> more) {
    return replaced(
        "_with_a_session_ticket_and_" + std::move(name), "left " + std::move(what) + " on the idle connection",
        [more = std::move(more)](Bench& bench) {
          ASSERT_EQ(bench.server.gate().send_aside(FaultGate::Aside::session_ticket), 1U);
          ASSERT_EQ(more(bench.server.gate()), 1U);
        },
        reused_tls);
  };
  const auto by_the_close = [](std::string name, const std::string& what, const std::string& body, End end) {
    const bool whole = body == ok_body;
    Row row = scripted("tls_" + std::move(name), "sends 200 without framing: " + what, ok_with("", body, end),
                       whole ? started : unknown, whole ? "" : unexpected);
    row.variants = tls;
    return row;
  };
  return {
      aside("key_update", "a KeyUpdate", FaultGate::Aside::key_update, 1),
      aside("session_ticket", "a session ticket", FaultGate::Aside::session_ticket, 1),
      aside("session_tickets", "five session tickets", FaultGate::Aside::session_ticket, 5),
      ticket_and("a_stray_408", "a session ticket and a 408",
                 [](FaultGate& gate) { return gate.send_stray("HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n"); }),
      ticket_and("a_fin", "a session ticket and a FIN", [](FaultGate& gate) { return gate.close_connections(); }),
      ticket_and("an_rst", "a session ticket and an RST",
                 [](FaultGate& gate) { return gate.close_connections(End::reset); }),
      // The close says nothing of the body, be it called a close or not; whole JSON does.
      by_the_close("whole_json_then_close_notify", "whole JSON, then close_notify", ok_body, End::close_notify),
      by_the_close("half_json_then_close_notify", "half a JSON text, then close_notify", R"({"status":"O)",
                   End::close_notify),
      by_the_close("nothing_then_close_notify", "nothing, then close_notify", "", End::close_notify),
      by_the_close("whole_json_then_rst", "whole JSON, then RST", ok_body, End::reset),
      by_the_close("half_json_then_rst", "half a JSON text, then RST", R"({"status":"O)", End::reset),
      scripted("close_notify_before_the_response", "reads the request, acts, and closes with a close_notify",
               testing::started_but_response_lost(End::close_notify), unknown, transport),
      [] {
        Row row = scripted("response_later_than_connecting_may_take", "sends 200 after longer than connecting may take",
                           testing::delayed(500ms * CONNECTID_TEST_PATIENCE), started, "");
        row.choose = [](Choices& choices) { choices.timeouts.connect = 400ms * CONNECTID_TEST_PATIENCE; };
        row.variants = fresh_plain | reused_tls;
        return row;
      }(),
  };
}

}  // namespace

std::vector<Row> dead_connections() {
  std::vector<Row> list;
  for (auto&& part : {ended(), not_used_again(), in_tls()}) list.insert(list.end(), part.begin(), part.end());
  return list;
}

namespace {

// ---- closed as soon as it stood

using testing::detail::Fd;

/// Lets clients in one by one, closes its own side at once (after the handshake, where there is TLS), and counts the
/// bytes of a request that came all the same.
class ClosesAtOnce {
 public:
  explicit ClosesAtOnce(const testing::Certificate* certificate)
      : context_(certificate ? testing::detail::server_context(*certificate, "") : nullptr) {}

  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

  /// For the next client, until it closes, too.
  [[nodiscard]] std::size_t bytes_of_the_next() {
    pollfd readable{.fd = listener_.fd(), .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, 20'000) != 1) return 0;
    testing::detail::Stream client(listener_.accept(), context_.get());
    std::string came;
    bool open = true;
    while (open && !client.ready()) open = wait_and_read(client, came);
    client.send_fin();
    while (open) open = wait_and_read(client, came);
    return came.size();
  }

 private:
  static bool wait_and_read(testing::detail::Stream& client, std::string& came) {
    pollfd readable{.fd = client.fd(), .events = POLLIN, .revents = 0};
    return ::poll(&readable, 1, 20'000) == 1 && client.read(came);
  }

  testing::detail::Listener listener_{0};
  testing::detail::SslContext context_;
};

class ClosedAtOnce : public ::testing::TestWithParam<bool> {};

/// Which of the two it is, is a race; that the client says what it is, is none.
TEST_P(ClosedAtOnce, is_not_sent_exactly_where_not_a_byte_arrived) {
  const testing::Certificate certificate = testing::make_certificate();
  ClosesAtOnce peer(GetParam() ? &certificate : nullptr);
  http::CurlTransport transport({.ca_pem = certificate.authority});
  const http::Request request{.method = "POST",
                              .url = (GetParam() ? "https://127.0.0.1:" : "http://127.0.0.1:") +
                                     std::to_string(peer.port()) + "/v1/subscription",
                              .body = "{}"};
  int sent = 0;
  constexpr int calls = 200;
  for (int call = 0; call < calls; ++call) {
    std::size_t bytes = 0;
    std::jthread serving([&] { bytes = peer.bytes_of_the_next(); });
    const auto result = transport.perform(request, {.deadline = std::chrono::steady_clock::now() + 20s});
    serving.join();
    ASSERT_TRUE(std::holds_alternative<http::Failure>(result));
    const auto& failure = std::get<http::Failure>(result);
    EXPECT_EQ(failure.body_left, bytes > 0) << failure.text << "; " << bytes << " bytes came";
    sent += failure.body_left ? 1 : 0;
  }
  std::cout << sent << " of " << calls << " requests left\n";
}
INSTANTIATE_TEST_SUITE_P(Ways, ClosedAtOnce, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "after_the_handshake" : "after_the_accept"; });

}  // namespace
}  // namespace connectid::faults
