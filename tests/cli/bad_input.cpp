// Each way to ask for something that cannot be done: one status, one clear line, and nothing sent.
#include "support/program_test.hpp"

namespace connectid::program {
namespace {

using nlohmann::json;

using Variables = std::vector<std::string>;

struct Bad {
  const char* name;
  std::vector<std::string> arguments;
  std::optional<Variables> variables;  ///< none: those of the test's server
  int status;
  const char* says;
  std::string in = {};
};
class ProgramBadInput : public ProgramTest, public ::testing::WithParamInterface<Bad> {};

TEST_P(ProgramBadInput, is_told_in_a_clear_line_and_nothing_is_sent) {
  const Bad& row = GetParam();
  const Ended ended = Program(row.arguments, row.variables.value_or(variables()), {.in = row.in}).wait();
  EXPECT_EQ(ended.status, row.status) << ended.err;
  EXPECT_EQ(ended.out, "");
  const std::string first_line = ended.err.substr(0, ended.err.find('\n'));
  EXPECT_NE(first_line.find(row.says), std::string::npos) << ended.err;
  EXPECT_EQ(server.gate().exchanges(), 0U);
}

TEST_P(ProgramBadInput, is_told_in_one_json_object) {
  const Bad& row = GetParam();
  std::vector<std::string> arguments = row.arguments;
  arguments.insert(arguments.begin() + (arguments.empty() ? 0 : 1), {"--output", "json"});
  const Ended ended = Program(arguments, row.variables.value_or(variables()), {.in = row.in}).wait();
  EXPECT_EQ(ended.status, row.status) << ended.out;
  EXPECT_EQ(ended.err, "");
  const json response = json::parse(ended.out);
  EXPECT_EQ(response.at("outcome"), "not_sent");
  EXPECT_EQ(response.at("may_have_started"), false);
  EXPECT_TRUE(response.at("sent_at").is_null());
  const std::string message = response.at("error").at("message");
  EXPECT_NE(message.find(row.says), std::string::npos) << message;
  EXPECT_EQ(server.gate().exchanges(), 0U);
}

std::vector<std::string> from_input() { return {"start", "--json", "-"}; }

INSTANTIATE_TEST_SUITE_P(
    Table, ProgramBadInput,
    ::testing::ValuesIn(std::vector{
        Bad{"unknown_flag", start({"--nonsense"}), {}, 2, "--nonsense"},
        Bad{"no_such_command", {"begin"}, {}, 2, "unknown command \"begin\""},
        Bad{"argument_too_many", start({"now"}), {}, 2, "unexpected argument \"now\""},
        Bad{"argument_too_many_that_may_be_a_secret", start({"hunter2"}), {}, 2, "unexpected argument (not shown"},
        Bad{"flag_twice", start({"--product", "P"}), {}, 2, "--product is given more than once"},
        Bad{"flag_before_the_command", {"--token=a-secret"}, {}, 2, "unknown flag --token before a command"},
        Bad{"flag_without_value", {"start", "--product"}, {}, 2, "--product: its value is missing"},
        Bad{"file_missing", {"start", "--json", "/nowhere/order.json"}, {}, 2, "/nowhere/order.json"},
        Bad{"file_is_a_directory", {"start", "--json", "/tmp"}, {}, 2, "/tmp"},
        Bad{"file_empty", {"start", "--json", "/dev/null"}, {}, 2, "broken at byte"},
        Bad{"file_without_end", {"start", "--json", "/dev/zero"}, {}, 2, "larger than 1 MiB"},
        Bad{"broken_json", from_input(), {}, 2, "broken at byte", "{\"product\":"},
        Bad{"json_number_too_large", from_input(), {}, 2, "a number that is too large", "{\"copies\":1e999}"},
        Bad{"json_with_more_behind_a_null_character", from_input(), {}, 2, "broken at byte 3", std::string("{}\0x", 4)},
        Bad{"empty_json", from_input(), {}, 2, "broken at byte", ""},
        Bad{"json_array", from_input(), {}, 2, "one object", "[]"},
        Bad{"json_unknown_field", from_input(), {}, 2, "coupon_code", R"({"coupon_code":"x"})"},
        Bad{"json_wrong_type", from_input(), {}, 2, "product must be a text", R"({"product":7})"},
        Bad{"json_fraction", from_input(), {}, 2, "couponNumber must be a whole number", R"({"couponNumber":1.5})"},
        Bad{"json_time_as_text", from_input(), {}, 2, "startTime must be a whole number", R"({"startTime":"2026"})"},
        Bad{"json_copies_as_words", from_input(), {}, 2, "copies takes a whole number", R"({"copies":"one"})"},
        Bad{"json_field_twice", from_input(), {}, 2, "product appears twice", R"({"product":"a","product":"b"})"},
        Bad{"not_valid", {"start", "--product", "CO27409"}, {}, 2, "not valid"},
        Bad{"time_in_seconds", start({"--end-time", "1560336440"}), {}, 2, "not valid"},
        Bad{"time_without_zone", start({"--end-time", "2026-05-01T00:00:00"}), {}, 2, "needs a zone"},
        Bad{"time_that_is_none", start({"--end-time", "soon"}), {}, 2, "--end-time"},
        Bad{"date_that_is_none", start({"--end-date", "2026-02-30"}), {}, 2, "--end-date"},
        Bad{"zone_that_is_none", start({"--zone", "Europe/Atlantis"}), {}, 2, "Europe/Atlantis"},
        Bad{"zone_beside_a_time",
            {"start", "--zone", "Nowhere", "--start-time", "1774994400000"},
            {},
            2,
            "no zone \"Nowhere\""},
        Bad{"zone_beside_a_time_to_validate",
            {"validate", "--zone", "Nowhere", "--start-time", "1774994400000"},
            {},
            2,
            "no zone \"Nowhere\""},
        Bad{"zone_empty", {"validate", "--zone", ""}, {}, 2, "--zone"},
        Bad{"date_and_time", start({"--start-time", "1"}), {}, 2, "--start-time"},
        Bad{"copies_not_a_number", {"start", "--copies", "1x"}, {}, 2, "1x"},
        Bad{"timeout_without_unit", start({"--timeout", "30"}), {}, 2, "--timeout"},
        Bad{"output_unknown", {"start", "--output", "xml"}, {}, 2, "output"},
        Bad{"environment_unknown", start({"--environment", "live"}), Variables{token}, 2, "production, sweden, test"},
        Bad{"two_services", start({"--environment", "test", "--api-url", "https://h"}), Variables{token}, 2,
            "--api-url"},
        Bad{"url_malformed_over_a_variable", start({"--api-url", "nonsense"}), {}, 2, "API URL"},
        Bad{"environment_unknown_over_a_variable", start({"--environment", "live"}),
            Variables{token, "CONNECTID_ENVIRONMENT=test"}, 2, "--environment is \"live\""},
        Bad{"url_plain_off_loopback", start({"--api-url", "http://api.example"}), Variables{token}, 2, "plain http"},
        Bad{"url_variable_empty", start({}), Variables{token, "CONNECTID_API_URL="}, 2,
            "CONNECTID_API_URL is set but empty"},
        Bad{"url_variable_empty_beside_a_flag", start({"--api-url", "https://127.0.0.1:1"}),
            Variables{token, "CONNECTID_API_URL="}, 2, "CONNECTID_API_URL is set but empty"},
        Bad{"environment_variable_empty", start({}), Variables{token, "CONNECTID_ENVIRONMENT="}, 2,
            "CONNECTID_ENVIRONMENT is set but empty"},
        Bad{"ca_file_empty", start({"--ca-file", ""}), {}, 2, "--ca-file is empty"},
        Bad{"ca_file_variable_empty", start({}),
            Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_CA_FILE="}, 2,
            "CONNECTID_CA_FILE is set but empty"},
        Bad{"ca_file_variable_empty_beside_a_flag", start({"--ca-file", "/dev/null"}),
            Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_CA_FILE="}, 2,
            "CONNECTID_CA_FILE is set but empty"},
        Bad{"ca_file_missing",
            start({"--ca-file", "/nowhere/ca.pem"}),
            {},
            2,
            "the file of authorities \"/nowhere/ca.pem\" (--ca-file) cannot be used: No such file or directory"},
        Bad{"ca_file_that_is_a_directory", start({"--ca-file", "/tmp"}), {}, 2, "\"/tmp\" (--ca-file) cannot be used"},
        Bad{"ca_file_that_can_be_read_but_once",
            start({"--ca-file", "/dev/stdin"}),
            {},
            2,
            "\"/dev/stdin\" (--ca-file) cannot be used"},
        Bad{"token_variable_empty", start({}),
            Variables{"CONNECTID_ACCESS_TOKEN=", "CONNECTID_API_URL=https://127.0.0.1:1"}, 2,
            "CONNECTID_ACCESS_TOKEN is set but empty"},
        Bad{"login_url_alone", start({}), Variables{token, "CONNECTID_LOGIN_URL=https://127.0.0.1:1"}, 2,
            "without an API URL"},
        Bad{"two_service_variables", start({}),
            Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_ENVIRONMENT=test"}, 2,
            "CONNECTID_API_URL and CONNECTID_ENVIRONMENT are both set"},
        Bad{"environment_beside_a_url_variable",
            start({"--environment", "test"}),
            {},
            2,
            "CONNECTID_API_URL and --environment are both set"},
        Bad{"url_beside_an_environment_variable", start({"--api-url", "https://127.0.0.1:1"}),
            Variables{token, "CONNECTID_ENVIRONMENT=test"}, 2, "--api-url and CONNECTID_ENVIRONMENT are both set"},
        Bad{"an_environment_flag_and_variable_beside_a_url_variable", start({"--environment", "test"}),
            Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_ENVIRONMENT=test"}, 2, "both set"},
        Bad{"url_empty", start({"--api-url", ""}), {}, 2, "--api-url is empty"},
        Bad{"url_with_a_query", start({"--api-url", "https://127.0.0.1:1/?a=b"}), {}, 2, "API URL"},
        Bad{"token_and_token_file", start({}),
            Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_ACCESS_TOKEN_FILE=/nowhere"}, 2,
            "are both set"},
        Bad{"token_file_missing", start({}),
            Variables{"CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_ACCESS_TOKEN_FILE=/nowhere"}, 2,
            "the file \"/nowhere\" cannot be read"},
        Bad{"token_file_empty", start({}),
            Variables{"CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_ACCESS_TOKEN_FILE=/dev/null"}, 2, "is empty"},
        Bad{"token_file_variable_empty", start({}),
            Variables{"CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_ACCESS_TOKEN_FILE="}, 2,
            "CONNECTID_ACCESS_TOKEN_FILE is set but empty"},
        Bad{"account_variable", start({"--api-url", "http://127.0.0.1:1"}), Variables{token, "CONNECTID_ACCOUNT=a"}, 2,
            "CONNECTID_ACCOUNT and an access token (CONNECTID_ACCESS_TOKEN, CONNECTID_ACCESS_TOKEN_FILE) are both set"},
        Bad{"attempts_of_none",
            start({"--max-attempts", "0"}),
            {},
            2,
            "--max-attempts takes a whole number of 1 or more"},
        Bad{"attempts_below_none", start({"--max-attempts", "-1"}), {}, 2, "--max-attempts takes"},
        Bad{"attempts_not_whole", start({"--max-attempts", "1.5"}), {}, 2, "not \"1.5\""},
        Bad{"attempts_too_many", start({"--max-attempts", "99999999999"}), {}, 2, "--max-attempts takes"},
        Bad{"attempts_empty", start({"--max-attempts", ""}), {}, 2, "--max-attempts takes"},
        Bad{"rate_without_unit", start({"--rate", "10"}), {}, 2, "such as 10/s or 500/min, not \"10\""},
        Bad{"rate_by_the_hour", start({"--rate", "10/h"}), {}, 2, "--rate takes a part of the API's"},
        Bad{"rate_above_the_apis", start({"--rate", "101/s"}), {}, 2, "--rate takes a part"},
        Bad{"rate_of_nothing", start({"--rate", "0/s"}), {}, 2, "--rate takes"},
        Bad{"rate_below_nothing", start({"--rate", "-1/s"}), {}, 2, "--rate takes"},
        Bad{"rate_without_end", start({"--rate", "inf/s"}), {}, 2, "--rate takes"},
        Bad{"rate_that_is_no_number", start({"--rate", "nan/min"}), {}, 2, "--rate takes"},
        Bad{"rate_empty", start({"--rate", ""}), {}, 2, "--rate takes"},
        Bad{"journal_in_no_directory",
            start({"--journal", "/nowhere/journal"}),
            {},
            2,
            "the journal \"/nowhere/journal\" cannot be used: No such file"},
        Bad{"journal_that_is_a_directory", start({"--journal", "/tmp"}), {}, 2, "the journal \"/tmp\" cannot be used"},
        Bad{"journal_that_is_no_file", start({"--journal", "/dev/null"}), {}, 2, "it is not a regular file"},
        Bad{"journal_empty", start({"--journal", ""}), {}, 2, "the journal \"\" cannot be used"},
        Bad{"timeout_empty", start({"--timeout", ""}), {}, 2, "--timeout"},
        Bad{"offset_that_no_zone_has", start({"--end-time", "2026-05-01T00:00:00+99:00"}), {}, 2, "offset"},
        Bad{"offset_of_one_digit", start({"--end-time", "2026-05-01T00:00:00+2"}), {}, 2, "--end-time takes"},
        Bad{"offset_without_digits", start({"--end-time", "2026-05-01T00:00:00+"}), {}, 2, "--end-time takes"},
        Bad{"offset_with_seconds", start({"--end-time", "2026-05-01T00:00:00+02:00:30"}), {}, 2, "--end-time takes"},
        Bad{"time_without_zeros", start({"--end-time", "2026-5-1T0:0:0Z"}), {}, 2, "--end-time takes"},
        Bad{"time_with_a_space", start({"--end-time", " 2026-05-01T00:00:00Z"}), {}, 2, "--end-time takes"},
        Bad{"leap_second", start({"--end-time", "2016-12-31T23:59:60Z"}), {}, 2, "--end-time takes"},
        Bad{"hour_that_no_day_has", start({"--end-time", "2026-05-01T25:00:00Z"}), {}, 2, "--end-time takes"},
        Bad{"time_as_long_as_an_argument_can_be",
            start({"--end-time", std::string(120'000, '1')}),
            {},
            2,
            "--end-time is too long"},
        Bad{"flag_in_place_of_a_value",
            start({"--customer-reference", "--token=a-secret"}),
            {},
            2,
            "--customer-reference: its value is missing: --token is a flag"},
        Bad{"output_in_capitals", {"start", "--output", "JSON"}, {}, 2, "--output"},
        Bad{"output_by_number", {"start", "--output", "1"}, {}, 2, "--output"},
        Bad{"call_id_empty", start({"--call-id", ""}), Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1"}, 2,
            "--call-id is empty"},
        Bad{"call_id_with_a_space", start({"--call-id", "a b"}),
            Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1"}, 2, "call_id"},
        Bad{"json_field_that_steers_a_terminal", from_input(), {}, 2, "foo?[2J?3J", "{\"foo\\u001b[2J\\u009b3J\":1}"},
        Bad{"no_zone_data", start({"--end-date", "2026-07-01"}), Variables{"TZDIR=/nonexistent"}, 2,
            "no time zone data"},
        Bad{"no_token", start({}), Variables{"CONNECTID_API_URL=https://127.0.0.1:1"}, 4,
            "CONNECTID_ACCESS_TOKEN is not set"},
        Bad{"port_closed", start({"--api-url", "http://127.0.0.1:1", "--max-attempts", "1"}), Variables{token}, 7,
            "connect"}}),
    [](const auto& row) { return row.param.name; });

TEST(ProgramWithoutAnything, runs_in_an_empty_environment) {
  std::vector<std::string> words = start({"--api-url", "http://127.0.0.1:1"});
  words.insert(words.begin(), CONNECTID_PROGRAM);
  const Ended ended = Process(words, {}).wait();  // no token: nothing is sent, nor is a file made
  EXPECT_EQ(ended.status, 4);
  EXPECT_NE(ended.err.find("CONNECTID_ACCESS_TOKEN is not set"), std::string::npos) << ended.err;
}

TEST_F(ProgramTest, a_command_that_is_missing_is_told_with_those_that_are) {
  const Ended ended = run({});
  EXPECT_EQ(ended.status, 2);
  EXPECT_TRUE(ended.err.starts_with(
      "connectid: a command is missing: the commands are start, validate, login, token, accounts, "
      "logout, fake-server\n"))
      << ended.err;
}

TEST_F(ProgramTest, everything_that_is_not_valid_is_told_at_once) {
  const Ended text = run({"start", "--product", "a product too long"});
  EXPECT_EQ(text.status, 2);
  const json violations = json::parse(run({"start", "--product", "a product too long", "--output", "json"}).out)
                              .at("error")
                              .at("violations");
  ASSERT_EQ(violations.size(), 5U) << violations;
  for (const json& violation : violations) {
    EXPECT_NE(text.err.find(violation.at("message").get<std::string>()), std::string::npos) << text.err;
  }
  EXPECT_EQ(server.gate().exchanges(), 0U);
}

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

}  // namespace
}  // namespace connectid::program
