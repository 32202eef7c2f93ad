// The program as its users run it: status, standard output, standard error, and what arrived at the server.
#include <gtest/gtest.h>

#include <connectid/http/curl_transport.hpp>
#include <connectid/testing/fake_server.hpp>
#include <connectid/version.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "run_program.hpp"

namespace connectid::program {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const std::string documented =
    R"({"companyCode":"468979834","product":"CO27409","startTime":1560336440000,"endTime":1591958840000,)"
    R"("copies":"1","couponCode":"WMDigi","couponNumber":5223,"customerReference":"cvxgds"})";
const std::vector<std::string> valid_flags{"--product", "CO27409",       "--start-date", "2026-04-01",      "--copies",
                                           "1",         "--coupon-code", "WMDigi",       "--coupon-number", "5223"};

class ProgramTest : public ::testing::Test {
 protected:
  static std::vector<std::string> start(std::vector<std::string> more = {}) {
    std::vector<std::string> all{"start"};
    all.insert(all.end(), valid_flags.begin(), valid_flags.end());
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  [[nodiscard]] std::vector<std::string> variables() const {
    return {"CONNECTID_API_URL=" + server.url(), "CONNECTID_ACCESS_TOKEN=test-token"};
  }
  Ended run(std::vector<std::string> arguments) { return Program(std::move(arguments), variables()).wait(); }

  testing::FakeServer server;
};

TEST_F(ProgramTest, starts_the_documented_example_from_standard_input) {
  const Ended ended = Program({"start", "--json", "-", "--output", "json"}, variables(), {.in = documented}).wait();
  EXPECT_EQ(ended.status, 0) << ended.err;
  const json answer = json::parse(ended.out);
  EXPECT_EQ(answer.at("outcome"), "started");
  EXPECT_EQ(answer.at("may_have_started"), false);
  EXPECT_EQ(answer.at("http_status"), 200);
  EXPECT_EQ(answer.at("status"), "OK");
  EXPECT_EQ(answer.at("attempts"), 1);
  EXPECT_EQ(answer.at("api_url"), server.url());
  EXPECT_EQ(answer.at("request").at("product"), "CO27409");
  EXPECT_EQ(answer.at("request").at("copies"), 1);
  EXPECT_FALSE(answer.contains("error"));
  EXPECT_TRUE(ended.err.empty());
  ASSERT_EQ(server.started().size(), 1U);
  EXPECT_EQ(answer.at("call_id"), server.started().front().call_id);
}

TEST_F(ProgramTest, flags_win_over_json_and_people_are_told_the_local_day) {
  const TemporaryFile file(documented);
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

TEST_F(ProgramTest, a_start_that_is_no_local_midnight_is_noted) {
  const Ended ended = run({"start", "--product", "P", "--start-time", "2026-04-01T00:00:00Z", "--copies", "1",
                           "--coupon-code", "C", "--coupon-number", "1"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_NE(ended.out.find("starts Wed 1 April 2026 02:00 Europe/Oslo\nnote:"), std::string::npos) << ended.out;
}

TEST_F(ProgramTest, times_may_be_iso_8601_with_an_offset) {
  for (const char* time : {"2026-04-01T00:00:00+02:00", "2026-03-31T22:00:00Z", "2026-03-31T22:00Z",
                           "2026-04-01T00:00+02:00", "2026-03-31T22:00:00.000Z", "1774994400000"}) {
    const Ended ended = run({"validate", "--start-time", time, "--product", "P", "--copies", "1", "--coupon-code", "C",
                             "--coupon-number", "1"});
    EXPECT_EQ(ended.status, 0) << time << ended.err;
    EXPECT_NE(ended.out.find(R"("startTime":1774994400000)"), std::string::npos) << time << ended.out;
  }
}

struct Answer {
  const char* name;
  testing::Script script;
  int status;
  const char* outcome;
  const char* kind;
};
class ProgramAnswer : public ProgramTest, public ::testing::WithParamInterface<Answer> {};

TEST_P(ProgramAnswer, has_its_exit_status_in_json_and_in_text) {
  for (const bool as_json : {true, false}) {
    const std::size_t before = server.bodies_received();
    server.next(GetParam().script);
    const Ended ended = run(start(as_json ? std::vector<std::string>{"--output", "json"} : std::vector<std::string>{}));
    EXPECT_EQ(ended.status, GetParam().status);
    EXPECT_EQ(server.bodies_received() - before, 1U);
    if (as_json) {
      const json answer = json::parse(ended.out);
      EXPECT_EQ(answer.at("outcome"), GetParam().outcome);
      EXPECT_EQ(answer.at("may_have_started"), GetParam().status == 6);
      EXPECT_EQ(answer.at("error").at("kind"), GetParam().kind);
      EXPECT_TRUE(ended.err.empty());
    } else {
      EXPECT_TRUE(ended.out.empty());
      EXPECT_FALSE(ended.err.empty());
    }
    EXPECT_EQ((ended.out + ended.err).find("test-token"), std::string::npos);
  }
}
INSTANTIATE_TEST_SUITE_P(
    Table, ProgramAnswer,
    ::testing::Values(Answer{"rejected", testing::answer(400, "{}"), 3, "rejected", "bad_request"},
                      Answer{"not_found", testing::answer(404, "{}"), 3, "rejected", "rejected"},
                      Answer{"unauthorized", testing::answer(401, "{}"), 4, "rejected", "unauthorized"},
                      Answer{"forbidden", testing::answer(403, "{}"), 4, "rejected", "forbidden"},
                      Answer{"rate_limited", testing::rate_limited_for(2s), 5, "rejected", "rate_limited"},
                      Answer{"lost", testing::started_but_answer_lost(), 6, "unknown", "transport_error"},
                      Answer{"server_error", testing::answer(500, "{}"), 6, "unknown", "server_error"},
                      Answer{"portal", testing::answer(200, "<html>"), 6, "unknown", "unexpected_response"}),
    [](const auto& row) { return row.param.name; });

TEST_F(ProgramTest, an_unknown_outcome_is_told_word_for_word_and_how_to_look) {
  server.next(testing::started_but_answer_lost());
  const Ended ended = run(start({"--customer-reference", "ref-1"}));
  EXPECT_EQ(ended.status, 6);
  EXPECT_TRUE(ended.err.starts_with("outcome unknown: sent 20")) << ended.err;
  EXPECT_NE(ended.err.find(
                "Z, connection cut before the answer. The subscription MAY have started. Do not run this again.\n"),
            std::string::npos)
      << ended.err;
  EXPECT_NE(ended.err.find("customerReference ref-1"), std::string::npos);
}

struct Bad {
  const char* name;
  std::vector<std::string> arguments;
  std::vector<std::string> variables;
  int status;
  const char* says;
  std::string in = {};
};
class ProgramBadInput : public ProgramTest, public ::testing::WithParamInterface<Bad> {};

TEST_P(ProgramBadInput, is_told_in_a_clear_line_and_nothing_is_sent) {
  for (const bool as_json : {false, true}) {
    std::vector<std::string> arguments = GetParam().arguments;
    if (as_json) arguments.insert(arguments.begin() + 1, {"--output", "json"});
    std::vector<std::string> given = GetParam().variables;
    if (given.empty()) given = variables();
    const Ended ended = Program(arguments, given, {.in = GetParam().in}).wait();
    EXPECT_EQ(ended.status, GetParam().status) << ended.out << ended.err;
    std::string message = ended.err;
    if (as_json) {
      const json answer = json::parse(ended.out);
      EXPECT_EQ(answer.at("outcome"), "not_sent");
      message = answer.at("error").dump();
    }
    EXPECT_NE(message.find(GetParam().says), std::string::npos) << message;
  }
  EXPECT_EQ(server.gate().exchanges(), 0U);
}

std::vector<std::string> with(std::vector<std::string> more) {
  std::vector<std::string> all{"start"};
  all.insert(all.end(), valid_flags.begin(), valid_flags.end());
  all.insert(all.end(), more.begin(), more.end());
  return all;
}
std::vector<std::string> from_input() { return {"start", "--json", "-"}; }
const std::string token = "CONNECTID_ACCESS_TOKEN=test-token";

INSTANTIATE_TEST_SUITE_P(
    Table, ProgramBadInput,
    ::testing::Values(
        Bad{"unknown_flag", with({"--nonsense"}), {}, 2, "--nonsense"},
        Bad{"no_such_command", {"begin"}, {}, 2, "begin"},
        Bad{"flag_without_value", {"start", "--product"}, {}, 2, "--product"},
        Bad{"file_missing", {"start", "--json", "/nowhere/order.json"}, {}, 2, "/nowhere/order.json"},
        Bad{"file_is_a_folder", {"start", "--json", "/tmp"}, {}, 2, "/tmp"},
        Bad{"broken_json", from_input(), {}, 2, "broken at byte", "{\"product\":"},
        Bad{"empty_json", from_input(), {}, 2, "broken at byte", ""},
        Bad{"json_array", from_input(), {}, 2, "one object", "[]"},
        Bad{"json_unknown_field", from_input(), {}, 2, "coupon_code", R"({"coupon_code":"x"})"},
        Bad{"json_wrong_type", from_input(), {}, 2, "product must be a text", R"({"product":7})"},
        Bad{"json_fraction", from_input(), {}, 2, "couponNumber must be a whole number", R"({"couponNumber":1.5})"},
        Bad{"json_time_as_text", from_input(), {}, 2, "startTime must be a whole number", R"({"startTime":"2026"})"},
        Bad{"json_copies_as_words", from_input(), {}, 2, "copies takes a whole number", R"({"copies":"one"})"},
        Bad{"json_field_twice", from_input(), {}, 2, "product stands twice", R"({"product":"a","product":"b"})"},
        Bad{"not_valid", {"start", "--product", "CO27409"}, {}, 2, "startTime is required"},
        Bad{"time_in_seconds", with({"--end-time", "1560336440"}), {}, 2, "milliseconds"},
        Bad{"time_without_zone", with({"--end-time", "2026-05-01T00:00:00"}), {}, 2, "say which zone"},
        Bad{"time_that_is_none", with({"--end-time", "soon"}), {}, 2, "--end-time"},
        Bad{"date_that_is_none", with({"--end-date", "2026-02-30"}), {}, 2, "--end-date"},
        Bad{"zone_that_is_none", with({"--zone", "Europe/Atlantis"}), {}, 2, "Europe/Atlantis"},
        Bad{"date_and_time", with({"--start-time", "1"}), {}, 2, "--start-time"},
        Bad{"copies_not_a_number", {"start", "--copies", "1x"}, {}, 2, "1x"},
        Bad{"timeout_without_unit", with({"--timeout", "30"}), {}, 2, "--timeout"},
        Bad{"output_unknown", {"start", "--output", "xml"}, {}, 2, "output"},
        Bad{"environment_unknown", with({"--environment", "live"}), {token}, 2, "production, sweden and test"},
        Bad{"two_services", with({"--environment", "test", "--api-url", "https://h"}), {token}, 2, "--api-url"},
        Bad{"url_malformed", with({"--api-url", "nonsense"}), {token}, 2, "API URL"},
        Bad{"url_plain_off_loopback", with({"--api-url", "http://api.example"}), {token}, 2, "plain http"},
        Bad{"url_variable_empty", with({}), {token, "CONNECTID_API_URL="}, 2, "CONNECTID_API_URL is set but empty"},
        Bad{"url_variable_empty_beside_a_flag",
            with({"--api-url", "https://127.0.0.1:1"}),
            {token, "CONNECTID_API_URL="},
            2,
            "CONNECTID_API_URL is set but empty"},
        Bad{"environment_variable_empty",
            with({}),
            {token, "CONNECTID_ENVIRONMENT="},
            2,
            "CONNECTID_ENVIRONMENT is set but empty"},
        Bad{"token_variable_empty",
            with({}),
            {"CONNECTID_ACCESS_TOKEN=", "CONNECTID_API_URL=https://127.0.0.1:1"},
            2,
            "CONNECTID_ACCESS_TOKEN is set but empty"},
        Bad{"login_url_alone", with({}), {token, "CONNECTID_LOGIN_URL=https://127.0.0.1:1"}, 2, "without an API URL"},
        Bad{"account_variable",
            with({"--api-url", "http://127.0.0.1:1"}),
            {token, "CONNECTID_ACCOUNT=a"},
            2,
            "CONNECTID_ACCOUNT is set"},
        Bad{"timeout_empty", with({"--timeout", ""}), {}, 2, "--timeout"},
        Bad{"offset_that_no_zone_has", with({"--end-time", "2026-05-01T00:00:00+99:00"}), {}, 2, "offset"},
        Bad{"no_zone_data", with({"--end-date", "2026-07-01"}), {"TZDIR=/nonexistent"}, 2, "no time zone data"},
        Bad{"no_token", with({}), {"CONNECTID_API_URL=https://127.0.0.1:1"}, 4, "CONNECTID_ACCESS_TOKEN is not set"},
        Bad{"env_i",
            with({"--api-url", "http://127.0.0.1:1"}),
            {"UNRELATED=1"},
            4,
            "CONNECTID_ACCESS_TOKEN is not set"},
        Bad{"port_closed", with({"--api-url", "http://127.0.0.1:1"}), {token}, 7, "connect"}),
    [](const auto& row) { return row.param.name; });

TEST_F(ProgramTest, a_url_that_is_refused_is_not_printed_for_it_may_hold_a_password) {
  const Ended ended = run(start({"--api-url", "https://user:hunter2@127.0.0.1:1", "--output", "json"}));
  EXPECT_EQ(ended.status, 2);
  EXPECT_EQ(json::parse(ended.out).at("api_url"), "");
  EXPECT_EQ(ended.out.find("hunter2"), std::string::npos);
  const Ended unknown_flag = run(start({"--access-token", "hunter2"}));
  EXPECT_EQ(unknown_flag.status, 2);
  EXPECT_NE(unknown_flag.err.find("--access-token"), std::string::npos);
  EXPECT_EQ(unknown_flag.err.find("hunter2"), std::string::npos);
}

TEST_F(ProgramTest, a_signal_that_was_ignored_from_the_start_stays_ignored) {
  server.next(testing::delayed(500ms));
  std::signal(SIGHUP, SIG_IGN);  // inherited, as under nohup
  Program program(start({"--output", "json"}), variables());
  std::signal(SIGHUP, SIG_DFL);
  ASSERT_TRUE(server.wait_for_bodies(1, 20s));
  program.signal(SIGHUP);
  EXPECT_EQ(program.wait().status, 0);
}

TEST_F(ProgramTest, a_deadline_while_the_answer_is_awaited_is_unknown) {
  server.always(testing::silent());
  EXPECT_EQ(run(start({"--timeout", "500ms"})).status, 6);
}

TEST_F(ProgramTest, a_signal_before_the_first_byte_is_not_sent) {
  testing::FaultGate mute(server.gate().port(), {.greet = [](std::uint64_t) { return false; }});
  Program program(start({"--api-url", "https://127.0.0.1:" + std::to_string(mute.port()), "--output", "json"}),
                  {token});
  while (mute.connections() == 0) std::this_thread::sleep_for(1ms);
  program.signal(SIGTERM);
  const Ended ended = program.wait();
  EXPECT_EQ(ended.status, 7) << ended.err;
  EXPECT_EQ(json::parse(ended.out).at("error").at("kind"), "cancelled");
}

TEST_F(ProgramTest, a_signal_after_it_is_unknown_and_the_answer_is_still_printed) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    server.next(testing::silent());
    const std::size_t before = server.bodies_received();
    Program program(start({"--output", "json"}), variables());
    ASSERT_TRUE(server.wait_for_bodies(before + 1, 20s));
    program.signal(signal);
    const Ended ended = program.wait();
    EXPECT_EQ(ended.status, 6) << ended.err;
    EXPECT_EQ(json::parse(ended.out).at("may_have_started"), true);
  }
}

TEST_F(ProgramTest, a_signal_while_the_request_is_read_is_not_sent_and_a_second_one_kills) {
  const std::string pipe = TemporaryFile().name();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  Program opening({"start", "--json", pipe}, variables());  // waits for a writer
  opening.signal_until_ended(SIGTERM);
  EXPECT_EQ(opening.wait().status, 128 + SIGTERM);
  const int writer = open(pipe.c_str(), O_RDWR | O_CLOEXEC);  // keeps it open and silent
  Program reading({"start", "--json", "-", "--output", "json"}, variables(), {.in_path = pipe});
  reading.signal_until_ended(SIGINT);
  const Ended ended = reading.wait();
  EXPECT_TRUE(ended.status == 7 || ended.status == 128 + SIGINT) << ended.status;  // it may come before main does
  close(writer);
  std::filesystem::remove(pipe);
  EXPECT_EQ(server.gate().connections(), 0U);
}

TEST_F(ProgramTest, standard_output_that_is_closed_or_full_is_not_success_and_loses_nothing) {
  for (const char* path : {"-", "/dev/full"}) {
    const std::size_t before = server.started().size();
    const Ended ended = Program(start({"--output", "json"}), variables(), {.out_path = path}).wait();
    EXPECT_EQ(ended.status, 1) << path;
    EXPECT_NE(ended.err.find("\"outcome\":\"started\""), std::string::npos) << ended.err;
    EXPECT_EQ(server.started().size() - before, 1U);
    EXPECT_EQ(server.received().back().body.find("outcome"), std::string::npos);
  }
}

TEST_F(ProgramTest, validate_prints_the_exact_body_and_the_local_day_without_a_token) {
  std::vector<std::string> arguments = start();
  arguments[0] = "validate";
  const Ended ended = Program(arguments, {"A=1"}).wait();
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.out,
            R"({"product":"CO27409","startTime":1774994400000,"copies":1,"couponCode":"WMDigi","couponNumber":5223})"
            "\nstarts Wed 1 April 2026 00:00 Europe/Oslo\n");
  EXPECT_EQ(Program({"validate", "--product", "P"}, {"A=1"}).wait().status, 2);
  EXPECT_EQ(server.gate().connections(), 0U);
}

TEST(ProgramHelp, and_version_are_results) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--help"}, {"start", "--help"}, {"validate", "--help"}, {"fake-server", "--help"}}) {
    const Ended ended = Program(arguments, {}).wait();
    EXPECT_EQ(ended.status, 0);
    EXPECT_NE(ended.out.find("status"), std::string::npos) << ended.out;
  }
  EXPECT_EQ(Program({"--version"}, {}).wait().out, "connectid " CONNECTID_VERSION "\n");
}

TEST(ProgramFakeServer, listens_logs_and_ends_with_0) {
  Program fake({"fake-server"}, {"A=1"});
  while (fake.out().find('\n') == std::string::npos) std::this_thread::sleep_for(1ms);
  const std::string line = fake.out();
  ASSERT_TRUE(line.starts_with("listening http://127.0.0.1:")) << line;
  const std::string url = line.substr(10, line.size() - 11);
  const Ended started = Program({"start", "--json", "-", "--api-url", url}, {token}, {.in = documented}).wait();
  EXPECT_EQ(started.status, 0) << started.err;
  http::CurlTransport wire;
  const http::Reply reply = wire.perform({.method = "GET", .url = url + "/__connectid/log"}, {});
  ASSERT_TRUE(std::holds_alternative<http::Answer>(reply));
  const json log = json::parse(std::get<http::Answer>(reply).body);
  EXPECT_EQ(log.at("started").size(), 1U);
  EXPECT_EQ(log.at("received").at(0).at("path"), "/v1/subscription");
  fake.signal(SIGTERM);
  EXPECT_EQ(fake.wait().status, 0);
}

}  // namespace
}  // namespace connectid::program
