// Cuts at every single byte.
#include <gtest/gtest.h>

#include "row_makers.hpp"

namespace connectid::faults {
namespace {

using testing::Fault;
using namespace std::chrono_literals;

const std::string short_response = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}";

struct Way {
  const char* name;
  bool tls;
  bool used_before;
  Fault::End end;
};
class CutAtEachByte : public ::testing::TestWithParam<Way> {};

TEST_P(CutAtEachByte, of_a_short_response_is_unknown_until_the_last_byte) {
  for (std::size_t byte = 0; byte <= short_response.size(); ++byte) {
    Choices choices;
    choices.server.tls = GetParam().tls;
    Bench bench(choices);
    if (GetParam().used_before) ASSERT_TRUE(bench.start());
    const std::size_t before = bench.server.bodies_received();
    bench.server.next(testing::raw_response(short_response.substr(0, byte), GetParam().end));
    const auto result = bench.start();
    EXPECT_EQ(bench.server.bodies_received() - before, 1U) << "cut at byte " << byte;
    if (byte == short_response.size() && GetParam().end == Fault::End::fin) {
      EXPECT_TRUE(result) << result.error();
    } else if (byte < short_response.size()) {
      EXPECT_EQ(outcome_of(result), "unknown") << "cut at byte " << byte;
    }
  }
}

TEST_P(CutAtEachByte, of_a_400s_body_is_rejected_and_of_its_headers_unknown) {
  const std::string headers = "HTTP/1.1 400 Bad Request\r\nContent-Length: 7\r\n\r\n";
  const std::string response = headers + "{\"a\":1}";
  for (std::size_t byte = headers.size() - 4; byte <= response.size(); ++byte) {
    Choices choices;
    choices.server.tls = GetParam().tls;
    Bench bench(choices);
    if (GetParam().used_before) ASSERT_TRUE(bench.start());
    const std::size_t before = bench.server.bodies_received();
    bench.server.next(testing::raw_response(response.substr(0, byte), GetParam().end));
    const auto result = bench.start();
    EXPECT_EQ(bench.server.bodies_received() - before, 1U) << "cut at byte " << byte;
    // A reset may overtake what was sent before it: then less arrived than was let through.
    if (GetParam().end == Fault::End::fin)
      EXPECT_EQ(outcome_of(result), byte < headers.size() ? "unknown" : "rejected") << byte;
    EXPECT_NE(outcome_of(result), "started");
    EXPECT_NE(outcome_of(result), "not_sent");
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, CutAtEachByte,
                         ::testing::Values(Way{"plain_fresh_fin", false, false, Fault::End::fin},
                                           Way{"plain_fresh_rst", false, false, Fault::End::reset},
                                           Way{"plain_reused_fin", false, true, Fault::End::fin},
                                           Way{"plain_reused_rst", false, true, Fault::End::reset},
                                           Way{"tls_fresh_rst", true, false, Fault::End::reset},
                                           Way{"tls_fresh_fin", true, false, Fault::End::fin},
                                           Way{"tls_reused_fin", true, true, Fault::End::fin},
                                           Way{"tls_reused_rst", true, true, Fault::End::reset}),
                         [](const auto& way) { return way.param.name; });

/// A second gate before a TLS server, which passes TLS through untouched: the cut falls between any two bytes of the
/// handshake, of the records, of an alert.
class CutCiphertext : public ::testing::TestWithParam<bool> {};

TEST_P(CutCiphertext, at_any_byte_ends_in_a_true_outcome_and_never_in_two_bodies) {
  const bool of_the_response = GetParam();
  int seen[3] = {};
  for (const std::uint64_t exchange : {1U, 2U}) {  // the hellos; the request, and what came of it
    for (std::size_t byte = 0; byte < 2000; byte += 37) {
      SCOPED_TRACE("byte " + std::to_string(byte) + " of exchange " + std::to_string(exchange));
      testing::FakeServer server({.tls = true});
      testing::FaultGate gate(server.gate().port(), {.plan = [&](const testing::FaultGate::Position& at) {
                                Fault fault;
                                if (at.number != exchange) return fault;
                                (of_the_response ? fault.truncate_response_at : fault.truncate_request_at) = byte;
                                fault.end = Fault::End::fin;
                                return fault;
                              }});
      const SubscriptionClient client(
          {.environment = Environment::custom("https://127.0.0.1:" + std::to_string(gate.port())),
           .token_source = static_token("test-token"),
           .transport = std::make_shared<http::CurlTransport>(http::CurlOptions{.ca_pem = server.ca_pem()}),
           .retry_policy = {.first_pause = 0ms, .connect_for = 60ms}});
      const auto result = client.start(valid_request, {.timeout = 20s});
      const std::string outcome = outcome_of(result);
      EXPECT_LE(server.bodies_received(), 1U);
      if (outcome == "started") EXPECT_EQ(server.started().size(), 1U);
      if (outcome == "not_sent") EXPECT_EQ(server.bodies_received(), 0U);
      EXPECT_NE(outcome, "rejected");
      ++seen[outcome == "started" ? 0 : outcome == "not_sent" ? 1 : 2];
    }
  }
  std::cout << "started " << seen[0] << ", not_sent " << seen[1] << ", unknown " << seen[2] << '\n';
  for (const int times : seen) EXPECT_GT(times, 0);
}
INSTANTIATE_TEST_SUITE_P(Direction, CutCiphertext, ::testing::Bool(),
                         [](const auto& direction) { return direction.param ? "of_the_response" : "of_the_request"; });

TEST(CutRequest, in_its_headers_has_acted_nowhere_and_is_never_called_rejected_or_started) {
  for (std::size_t byte = 1; byte < 120; byte += 17) {
    for (const auto end : {Fault::End::fin, Fault::End::reset}) {
      Bench bench({});
      bench.server.next(testing::truncate_request_at(byte, end));
      const std::string outcome = outcome_of(bench.start());
      EXPECT_TRUE(outcome == "unknown" || outcome == "not_sent") << outcome;
      EXPECT_EQ(bench.server.bodies_received(), 0U);
      EXPECT_EQ(bench.server.gate().exchanges(), 1U);
    }
  }
}

/// The request leaves in one send: whenever the response comes, all that the client can know is what the response says.
class ResponseAtEachByte : public ::testing::TestWithParam<bool> {};

TEST_P(ResponseAtEachByte, of_the_request_is_the_response) {
  struct Early {
    const char* status;
    const char* outcome;
    const char* kind;
  };
  Choices choices;
  if (!GetParam()) choices.curl.max_idle_connections = 0;
  choices.retry_policy.break_circuit_after = 0;
  Bench bench(choices);
  const std::size_t size = size_of_a_start(bench.choices);
  std::uint64_t calls = 0;
  for (const auto& [status, outcome, kind] :
       {Early{"400 No", rejected, "bad_request"}, Early{"401 No", rejected, "unauthorized"},
        Early{"404 No", rejected, "rejected"}, Early{"429 No", rejected, "rate_limited"},
        Early{"503 No", unknown, "server_error"}, Early{"200 OK", started, ""}}) {
    const std::string response = std::string("HTTP/1.1 ") + status + "\r\nContent-Length: 15\r\n\r\n" + ok_body;
    for (std::size_t byte = 0; byte + 8 < size; ++byte, ++calls) {
      testing::Script script = refused_with(response);
      script.fault.truncate_request_at = byte;
      bench.server.next(script);
      const auto result = bench.start();
      ASSERT_EQ(outcome_of(result), outcome) << status << " at byte " << byte;
      ASSERT_EQ(kind_of(result), kind) << status << " at byte " << byte;
    }
  }
  EXPECT_EQ(bench.server.gate().exchanges(), calls) << "a request was sent twice";
  EXPECT_EQ(bench.server.gate().connections(), GetParam() ? 1U : calls);
  EXPECT_EQ(bench.server.bodies_received(), 0U);
}
INSTANTIATE_TEST_SUITE_P(Ways, ResponseAtEachByte, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "reused" : "fresh"; });

}  // namespace
}  // namespace connectid::faults
