// What becomes of a subscription asked for at a shell: status, standard output, standard error, and what arrived.
#include "support/program_test.hpp"

namespace connectid::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

TEST_F(ProgramTest, starts_the_documented_example_from_standard_input) {
  const Ended ended =
      Program({"start", "--json", "-", "--output", "json"}, variables(), {.in = documented_json}).wait();
  EXPECT_EQ(ended.status, 0) << ended.err;
  const json response = json::parse(ended.out);
  EXPECT_EQ(response.at("outcome"), "started");
  EXPECT_EQ(response.at("may_have_started"), false);
  EXPECT_EQ(response.at("http_status"), 200);
  EXPECT_EQ(response.at("status"), "OK");
  EXPECT_EQ(response.at("attempts"), 1);
  EXPECT_EQ(response.at("api_url"), server.url());
  EXPECT_EQ(response.at("request").at("product"), "CO27409");
  EXPECT_EQ(response.at("request").at("copies"), 1);
  EXPECT_FALSE(response.contains("error"));
  EXPECT_TRUE(ended.err.empty());
  ASSERT_EQ(server.started().size(), 1U);
  EXPECT_EQ(response.at("call_id"), server.started().front().call_id);
}

TEST_F(ProgramTest, flags_win_over_json_and_people_are_told_the_local_day) {
  const TemporaryFile file(documented_json);
  const Ended ended = run(
      {"start", "--json", file.name(), "--product", "OTHER", "--start-date", "2026-04-01", "--end-date", "2026-10-25"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_NE(ended.out.find("started: product OTHER"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("starts Wed 1 April 2026 00:00 Europe/Oslo\n"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("ends Sun 25 October 2026 23:59:59 Europe/Oslo\n"), std::string::npos) << ended.out;
  EXPECT_EQ(ended.out.find("note:"), std::string::npos);
  ASSERT_EQ(server.started().size(), 1U);
  EXPECT_EQ(server.started().front().request.start_time->time_since_epoch(), 1774994400000ms);
}

TEST_F(ProgramTest, the_access_token_may_lie_in_a_file) {
  const TemporaryFile file("test-token\n");
  const Ended ended =
      Program(start(), {"CONNECTID_API_URL=" + server.url(), "CONNECTID_ACCESS_TOKEN_FILE=" + file.name()}).wait();
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(server.started().size(), 1U);
}

TEST_F(ProgramTest, a_start_that_is_no_local_midnight_is_noted) {
  const Ended ended = run({"start", "--product", "P", "--start-time", "2026-04-01T00:00:00Z", "--copies", "1",
                           "--coupon-code", "C", "--coupon-number", "1"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_NE(ended.out.find("starts Wed 1 April 2026 02:00 Europe/Oslo\nnote:"), std::string::npos) << ended.out;
}

TEST_F(ProgramTest, times_may_be_iso_8601_with_an_offset) {
  for (const char* time :
       {"2026-04-01T00:00:00+02:00", "2026-04-01T00:00:00+02", "2026-04-01T00:00+0200", "2026-03-31T22:00:00Z",
        "2026-03-31T22:00Z", "2026-04-01T00:00+02:00", "2026-03-31T22:00:00.000Z", "1774994400000"}) {
    const Ended ended = run({"validate", "--start-time", time, "--product", "P", "--copies", "1", "--coupon-code", "C",
                             "--coupon-number", "1"});
    EXPECT_EQ(ended.status, 0) << time << ended.err;
    EXPECT_NE(ended.out.find(R"("startTime":1774994400000)"), std::string::npos) << time << ended.out;
  }
}

TEST_F(ProgramTest, a_call_id_that_was_given_is_sent_and_told) {
  const Ended ended = run(start({"--call-id", "order-1001.1", "--output", "json"}));
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(json::parse(ended.out).at("call_id"), "order-1001.1");
  ASSERT_EQ(server.started().size(), 1U);
  EXPECT_EQ(server.started().front().call_id, "order-1001.1");
}

struct Response {
  const char* name;
  testing::Script script;
  int status;
  const char* outcome;
  const char* kind;
};
class ProgramResponse : public ProgramTest, public ::testing::WithParamInterface<Response> {};

TEST_P(ProgramResponse, has_its_exit_status_in_json_and_in_text) {
  for (const bool as_json : {true, false}) {
    const std::size_t before = server.bodies_received();
    server.next(GetParam().script);
    const Ended ended = run(start(as_json ? std::vector<std::string>{"--output", "json"} : std::vector<std::string>{}));
    EXPECT_EQ(ended.status, GetParam().status);
    EXPECT_EQ(server.bodies_received() - before, 1U);
    if (as_json) {
      const json response = json::parse(ended.out);
      EXPECT_EQ(response.at("outcome"), GetParam().outcome);
      EXPECT_EQ(response.at("may_have_started"), GetParam().status == 6);
      EXPECT_EQ(response.at("error").at("kind"), GetParam().kind);
      EXPECT_TRUE(ended.err.empty());
    } else {
      EXPECT_TRUE(ended.out.empty());
      EXPECT_FALSE(ended.err.empty());
    }
    EXPECT_EQ((ended.out + ended.err).find("test-token"), std::string::npos);
  }
}
INSTANTIATE_TEST_SUITE_P(
    Table, ProgramResponse,
    ::testing::ValuesIn(std::vector{
        Response{"rejected", testing::response(400, "{}"), 3, "rejected", "bad_request"},
        Response{"not_found", testing::response(404, "{}"), 3, "rejected", "rejected"},
        Response{"unauthorized", testing::response(401, "{}"), 4, "rejected", "unauthorized"},
        Response{"forbidden", testing::response(403, R"({"errorMessage":"m"})"), 4, "rejected", "forbidden"},
        Response{"rate_limited", testing::response(429, "{}"), 5, "rejected", "rate_limited"},
        Response{"lost", testing::started_but_response_lost(), 6, "unknown", "transport_error"},
        Response{"forbidden_by_a_gateway", testing::response(403, "<html>"), 6, "unknown", "unexpected_response"},
        Response{"conflict", testing::response(409, "{}"), 6, "unknown", "unexpected_response"},
        Response{"server_error", testing::response(500, "{}"), 6, "unknown", "server_error"},
        Response{"portal", testing::response(200, "<html>"), 6, "unknown", "unexpected_response"}}),
    [](const auto& row) { return row.param.name; });

TEST_F(ProgramTest, an_unknown_outcome_says_so_and_how_to_verify) {
  server.next(testing::started_but_response_lost());
  const Ended ended = run(start({"--customer-reference", "ref-1"}));
  EXPECT_EQ(ended.status, 6);
  EXPECT_TRUE(ended.err.starts_with("outcome unknown: sent 20")) << ended.err;
  EXPECT_NE(ended.err.find(
                "Z, connection lost before the response. The subscription MAY have started. Do not run this again.\n"),
            std::string::npos)
      << ended.err;
  EXPECT_NE(ended.err.find("customerReference ref-1"), std::string::npos);
}

TEST_F(ProgramTest, validate_prints_the_exact_body_and_the_local_day_without_a_token) {
  std::vector<std::string> arguments = start();
  arguments[0] = "validate";
  const Ended ended = Program(arguments, {"A=1"}).wait();
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.out,
            R"({"product":"CO27409","startTime":1774994400000,"copies":1,"couponCode":"WMDigi","couponNumber":5223})"
            "\n");
  EXPECT_EQ(ended.err, "starts Wed 1 April 2026 00:00 Europe/Oslo\n");
  EXPECT_EQ(Program({"validate", "--product", "P"}, {"A=1"}).wait().status, 2);
  EXPECT_EQ(server.gate().connections(), 0U);
}

TEST_F(ProgramTest, what_validate_prints_can_be_started) {
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--copies-as-text"}}) {
    const Ended validated = run(with("validate", more));
    EXPECT_EQ(validated.status, 0) << validated.err;
    const TemporaryFile order(validated.out);
    const Ended ended = run({"start", "--json", order.name()});
    EXPECT_EQ(ended.status, 0) << ended.err;
  }
  EXPECT_EQ(server.started().size(), 2U);
}

}  // namespace
}  // namespace connectid::cli
