// Responses that come before the server has read the request. A start is one send, which the kernel takes whole: of
// rows the client knows no more than that all of it left. What is larger than the sockets' buffers is asked of the
// transport.
#include <gtest/gtest.h>

#include <random>

#include "call/classify.hpp"
#include "row_makers.hpp"

namespace connectid::faults {
namespace {

using namespace std::chrono_literals;
using testing::Fault;
using testing::Script;
using End = Fault::End;

constexpr auto challenge = "WWW-Authenticate: Bearer\r\n";

std::string refusal(const std::string& status, const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: 0\r\n\r\n";
}

/// Responds once so many bytes of the request were read, and reads no further.
Script early(std::size_t byte, std::string response, End end) {
  Script script = refused_with(std::move(response), end);
  script.fault.truncate_request_at = byte;
  return script;
}

/// Where in the request the response comes.
struct Position {
  const char* what;
  std::function<std::size_t(const Bench&)> byte;
};
Position after(std::size_t byte, const char* what) {
  return {what, [byte](const Bench&) { return byte; }};
}
const Position before_the_first_byte = after(0, "before it reads a byte of the request");
const Position after_one_byte = after(1, "when it has read one byte of the request");
const Position in_the_headers = after(60, "in the middle of the request's headers");
const Position in_the_body = {"in the middle of the request's body",
                              [](const Bench& bench) { return size_of_a_start(bench.choices) - 5; }};

Row responded(std::string name, const Position& position, const std::string& sends, std::string response, End end,
              std::string outcome, std::string kind) {
  return {.name = "early_" + std::move(name),
          .what = "sends " + sends + " " + position.what,
          .outcome = std::move(outcome),
          .kind = std::move(kind),
          .bodies = 0,
          .arm = [position, response = std::move(response), end](Bench& bench) {
            bench.server.next(early(position.byte(bench), response, end));
          }};
}

/// The same, and the repeat is let in.
Row repeated(Row row, int more_connections) {
  row.outcome = started;
  row.kind = "";
  row.attempts = 2;
  row.bodies = 1;
  row.more_connections = more_connections;
  return row;
}

Row with_another_token(Row row) {
  row.what += "; the token source has another token";
  row.choose = [](Choices& choices) { choices.token_source = first_then("old-canary-token", good_token, 100ms); };
  row.variants = fresh;  // the start before it would be refused
  return row;
}

Row said_by_a_liar() {
  Row row = responded("200_in_the_headers", in_the_headers, "200",
                      "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + ok_body, End::keep, started, "");
  row.what += ", and drops the rest: all of it had left, so what the server says is all there is to know";
  return row;
}

}  // namespace

std::vector<Row> early_responses() {
  const std::string bad_request = "bad_request", unauthorized = "unauthorized";
  return {
      responded("400_before_the_first_byte", before_the_first_byte, "400", refusal("400 No"), End::keep, rejected,
                bad_request),
      responded("400_after_one_byte", after_one_byte, "400", refusal("400 No"), End::keep, rejected, bad_request),
      responded("400_then_fin", in_the_headers, "400 and closes", refusal("400 No"), End::fin, rejected, bad_request),
      responded("400_then_rst", in_the_headers, "400 and resets", refusal("400 No"), End::reset, rejected, bad_request),
      responded("400_in_the_body_then_rst", in_the_body, "400 and resets", refusal("400 No"), End::reset, rejected,
                bad_request),
      responded("404_in_the_body", in_the_body, "404", refusal("404 No"), End::keep, rejected, rejected),
      responded("413_then_silence", in_the_headers, "413 and falls silent", refusal("413 No"), End::silence, rejected,
                rejected),
      responded("401", in_the_headers, "401 with a challenge", refusal("401 No", challenge), End::keep, rejected,
                unauthorized),
      with_another_token(repeated(responded("401_then_in", in_the_headers, "401 with a challenge",
                                            refusal("401 No", challenge), End::keep, rejected, unauthorized),
                                  0)),
      with_another_token(repeated(responded("401_and_fin_then_in", in_the_body, "401 with a challenge and closes",
                                            refusal("401 No", challenge), End::fin, rejected, unauthorized),
                                  1)),
      with_another_token(repeated(responded("401_and_rst_then_in", in_the_headers, "401 with a challenge and resets",
                                            refusal("401 No", challenge), End::reset, rejected, unauthorized),
                                  1)),
      responded("429", in_the_headers, "429 with no pause", refusal("429 Slow"), End::keep, rejected, "rate_limited"),
      [] {
        Row row = repeated(responded("429_then_in", in_the_body, "429 with `Retry-After: 1`",
                                     refusal("429 Slow", "Retry-After: 1\r\n"), End::keep, rejected, "rate_limited"),
                           0);
        row.variants = reused_tls;  // a pause of a second
        return row;
      }(),
      responded("408_in_the_body", in_the_body, "408 and closes", refusal("408 Slow"), End::fin, unknown, unexpected),
      responded("503_before_the_first_byte", before_the_first_byte, "503", refusal("503 No"), End::keep, unknown,
                "server_error"),
      responded("503_then_rst", in_the_headers, "503 and resets", refusal("503 No"), End::reset, unknown,
                "server_error"),
      said_by_a_liar(),
  };
}

namespace {

// ---- larger than the sockets' buffers

constexpr std::size_t large = 16 << 20;

http::Request request_with(std::string body) {
  return {.method = "POST",
          .headers = {{"Content-Type", "application/json"}},
          .authorization = Secret("Bearer test-token"),
          .body = std::move(body)};
}

/// Reads a little, responds and stops reading.
Script stops_reading(std::string response, End end) {
  Script script = early(100'000, std::move(response), end);
  script.fault.stop_reading = true;
  return script;
}

/// What a start would say of this response.
Outcome outcome_of(const http::Response& response) {
  const detail::Reading says_yes{.whole_json = true, .reason = {}};
  return classify(response, says_yes, detail::RefusedBy::anybody, false).outcome;
}

struct Peer {
  const char* name;
  bool tls;
  End end;
};
class LargeRequest : public ::testing::TestWithParam<Peer> {
 protected:
  testing::FakeServer server_{{.tls = GetParam().tls}};
  http::CurlTransport transport_{{.ca_pem = server_.ca_pem()}};
  const http::Limits limits_{.deadline = std::chrono::steady_clock::now() + 30s};

  [[nodiscard]] http::AttemptResult perform(http::Request request) {
    request.url = server_.url() + "/v1/subscription";
    return transport_.perform(request, limits_);
  }
};

TEST_P(LargeRequest, ends_with_the_response_that_came_before_it_had_left) {
  struct Expected {
    const char* status;
    Outcome outcome;
  };
  const http::Request request = request_with(std::string(large, 'x'));
  for (const auto& [status, outcome] : {Expected{"401 No", Outcome::rejected}, Expected{"413 No", Outcome::rejected},
                                        Expected{"429 No", Outcome::rejected}, Expected{"503 No", Outcome::unknown},
                                        Expected{"200 OK", Outcome::unknown}}) {
    SCOPED_TRACE(status);
    const auto connections = server_.gate().connections();
    const std::string response = std::string("HTTP/1.1 ") + status + "\r\nContent-Length: 15\r\n\r\n" + ok_body;
    server_.next(stops_reading(response, GetParam().end));
    const http::AttemptResult result = perform(request);
    ASSERT_TRUE(std::holds_alternative<http::Response>(result)) << std::get<http::Failure>(result).text;
    const auto& came = std::get<http::Response>(result);
    EXPECT_EQ(std::to_string(came.status), std::string(status).substr(0, 3));
    EXPECT_EQ(came.body, ok_body);
    EXPECT_TRUE(came.framed);
    EXPECT_FALSE(came.truncated) << came.truncated->text;
    EXPECT_EQ(came.left, http::Left::part);
    EXPECT_EQ(outcome_of(came), outcome);

    ASSERT_TRUE(std::holds_alternative<http::Response>(perform(request_with("{}"))));
    EXPECT_EQ(server_.gate().connections() - connections, 2U) << "the rest of the request was owed on it";
    static_cast<void>(server_.gate().close_connections());
  }
  EXPECT_EQ(server_.bodies_received(), 5U) << "the small ones";
}

TEST_P(LargeRequest, whose_body_had_not_begun_to_leave_has_acted_nowhere) {
  http::Request request = request_with("{}");
  request.headers.push_back({"X-Padding", std::string(large, 'x')});
  server_.next(stops_reading("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", GetParam().end));
  const http::AttemptResult result = perform(request);
  ASSERT_TRUE(std::holds_alternative<http::Response>(result)) << std::get<http::Failure>(result).text;
  EXPECT_EQ(std::get<http::Response>(result).left, http::Left::head);
  EXPECT_EQ(outcome_of(std::get<http::Response>(result)), Outcome::not_sent);
}

TEST_P(LargeRequest, without_a_response_may_have_acted) {
  Script script = testing::truncate_request_at(100'000, GetParam().end);
  script.fault.stop_reading = true;
  server_.next(script);
  http::Request request = request_with(std::string(large, 'x'));
  request.url = server_.url() + "/v1/subscription";
  const auto result = transport_.perform(request, {.deadline = std::chrono::steady_clock::now() + 300ms});
  ASSERT_TRUE(std::holds_alternative<http::Failure>(result));
  EXPECT_TRUE(std::get<http::Failure>(result).body_left);
}

INSTANTIATE_TEST_SUITE_P(Peers, LargeRequest,
                         ::testing::Values(Peer{"plain_fin", false, End::fin}, Peer{"plain_rst", false, End::reset},
                                           Peer{"plain_silence", false, End::silence}, Peer{"tls_fin", true, End::fin},
                                           Peer{"tls_rst", true, End::reset}, Peer{"tls_silence", true, End::silence}),
                         [](const auto& peer) { return peer.param.name; });

/// Over TLS a send of more than one record may say that it took nothing while the peer has read some of it.
TEST(LargeRequestOnTheWire, arrives_whole_and_byte_by_byte_the_same) {
  std::string body(12 << 20, '\0');
  std::minstd_rand random(7);
  for (char& byte : body) byte = static_cast<char>(random() >> 8);
  for (const bool tls : {false, true}) {
    testing::FakeServer server({.tls = tls});
    http::CurlTransport transport({.ca_pem = server.ca_pem()});
    http::Request request = request_with(body);
    request.url = server.url() + "/v1/subscription";
    for (std::size_t call = 1; call <= 2; ++call) {
      const auto result = transport.perform(request, {.deadline = std::chrono::steady_clock::now() + 30s});
      ASSERT_TRUE(std::holds_alternative<http::Response>(result)) << std::get<http::Failure>(result).text;
      EXPECT_EQ(std::get<http::Response>(result).left, http::Left::whole);
      ASSERT_EQ(server.received().size(), call);
      EXPECT_TRUE(server.received().back().body == body) << "other bytes came than were sent";
    }
    EXPECT_EQ(server.gate().connections(), 1U);
  }
}

}  // namespace
}  // namespace connectid::faults
