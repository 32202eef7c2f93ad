// Each way to ask for something that cannot be done: one status, one clear line, and nothing sent.
#include "support/program_test.hpp"

namespace connectid::cli {
namespace {

using nlohmann::json;

using Variables = std::vector<std::string>;

struct Bad {
  const char* name;
  std::vector<std::string> arguments;
  const char* says;
  std::optional<Variables> variables = {};  ///< none: those of the test's server
  std::string in = {};
  int status = 2;
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
        Bad{"unknown_flag", start({"--nonsense"}), "--nonsense"},
        Bad{"no_such_command", {"begin"}, "unknown command \"begin\""},
        Bad{"argument_too_many", start({"now"}), "unexpected argument \"now\""},
        Bad{"argument_too_many_that_may_be_a_secret", start({"hunter2"}), "unexpected argument (not shown"},
        Bad{"flag_twice", start({"--product", "P"}), "--product is given more than once"},
        Bad{"flag_before_the_command", {"--token=a-secret"}, "unknown flag --token before a command"},
        Bad{"flag_without_value", {"start", "--product"}, "--product: its value is missing"},
        Bad{"file_missing", {"start", "--json", "/nowhere/order.json"}, "/nowhere/order.json"},
        Bad{"file_is_a_directory", {"start", "--json", "/tmp"}, "/tmp"},
        Bad{"file_empty", {"start", "--json", "/dev/null"}, "broken at byte"},
        Bad{"file_without_end", {"start", "--json", "/dev/zero"}, "larger than 1 MiB"},
        Bad{"broken_json", from_input(), "broken at byte", {}, "{\"product\":"},
        Bad{"json_number_too_large", from_input(), "a number that is too large", {}, "{\"copies\":1e999}"},
        Bad{"json_with_more_behind_a_null_character", from_input(), "broken at byte 3", {}, std::string("{}\0x", 4)},
        Bad{"empty_json", from_input(), "broken at byte", {}, ""},
        Bad{"json_array", from_input(), "one object", {}, "[]"},
        Bad{"json_unknown_field", from_input(), "coupon_code", {}, R"({"coupon_code":"x"})"},
        Bad{"json_wrong_type", from_input(), "product must be a text", {}, R"({"product":7})"},
        Bad{"json_fraction", from_input(), "couponNumber must be a whole number", {}, R"({"couponNumber":1.5})"},
        Bad{"json_time_as_text", from_input(), "startTime must be a whole number", {}, R"({"startTime":"2026"})"},
        Bad{"json_copies_as_words", from_input(), "copies takes a whole number", {}, R"({"copies":"one"})"},
        Bad{"json_field_twice", from_input(), "product appears twice", {}, R"({"product":"a","product":"b"})"},
        Bad{"not_valid", {"start", "--product", "CO27409"}, "not valid"},
        Bad{"time_in_seconds", start({"--end-time", "1560336440"}), "not valid"},
        Bad{"time_without_zone", start({"--end-time", "2026-05-01T00:00:00"}), "needs a zone"},
        Bad{"time_that_is_none", start({"--end-time", "soon"}), "--end-time"},
        Bad{"date_that_is_none", start({"--end-date", "2026-02-30"}), "--end-date"},
        Bad{"zone_that_is_none", start({"--zone", "Europe/Atlantis"}), "Europe/Atlantis"},
        Bad{"zone_beside_a_time",
            {"start", "--zone", "Nowhere", "--start-time", "1774994400000"},
            "no zone \"Nowhere\""},
        Bad{"zone_beside_a_time_to_validate",
            {"validate", "--zone", "Nowhere", "--start-time", "1774994400000"},
            "no zone \"Nowhere\""},
        Bad{"zone_empty", {"validate", "--zone", ""}, "--zone"},
        Bad{"date_and_time", start({"--start-time", "1"}), "give only one of --start-time and --start-date"},
        Bad{"copies_not_a_number", {"start", "--copies", "1x"}, "1x"},
        Bad{"timeout_without_unit", start({"--timeout", "30"}), "--timeout"},
        Bad{"output_unknown", {"start", "--output", "xml"}, "output"},
        Bad{"environment_unknown", start({"--environment", "live"}), "production, sweden, test", Variables{token}},
        Bad{"two_services", start({"--environment", "test", "--api-url", "https://h"}), "--api-url", Variables{token}},
        Bad{"url_malformed_over_a_variable", start({"--api-url", "nonsense"}), "API URL"},
        Bad{"environment_unknown_over_a_variable", start({"--environment", "live"}), "--environment is \"live\"",
            Variables{token, "CONNECTID_ENVIRONMENT=test"}},
        Bad{"url_plain_off_loopback", start({"--api-url", "http://api.example"}), "plain http", Variables{token}},
        Bad{"url_variable_empty", start({}), "CONNECTID_API_URL is set but empty",
            Variables{token, "CONNECTID_API_URL="}},
        Bad{"url_variable_empty_beside_a_flag", start({"--api-url", "https://127.0.0.1:1"}),
            "CONNECTID_API_URL is set but empty", Variables{token, "CONNECTID_API_URL="}},
        Bad{"environment_variable_empty", start({}), "CONNECTID_ENVIRONMENT is set but empty",
            Variables{token, "CONNECTID_ENVIRONMENT="}},
        Bad{"ca_file_empty", start({"--ca-file", ""}), "--ca-file is empty"},
        Bad{"ca_file_variable_empty", start({}), "CONNECTID_CA_FILE is set but empty",
            Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_CA_FILE="}},
        Bad{"ca_file_variable_empty_beside_a_flag", start({"--ca-file", "/dev/null"}),
            "CONNECTID_CA_FILE is set but empty",
            Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_CA_FILE="}},
        Bad{"ca_file_missing", start({"--ca-file", "/nowhere/ca.pem"}),
            "the file of authorities \"/nowhere/ca.pem\" (--ca-file) cannot be used: No such file or directory"},
        Bad{"ca_file_that_is_a_directory", start({"--ca-file", "/tmp"}), "\"/tmp\" (--ca-file) cannot be used"},
        Bad{"ca_file_that_can_be_read_but_once", start({"--ca-file", "/dev/stdin"}),
            "\"/dev/stdin\" (--ca-file) cannot be used"},
        Bad{"token_variable_empty", start({}), "CONNECTID_ACCESS_TOKEN is set but empty",
            Variables{"CONNECTID_ACCESS_TOKEN=", "CONNECTID_API_URL=https://127.0.0.1:1"}},
        Bad{"login_url_alone", start({}), "without an API URL",
            Variables{token, "CONNECTID_LOGIN_URL=https://127.0.0.1:1"}},
        Bad{"two_service_variables", start({}), "CONNECTID_API_URL and CONNECTID_ENVIRONMENT are both set",
            Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_ENVIRONMENT=test"}},
        Bad{"environment_beside_a_url_variable", start({"--environment", "test"}),
            "CONNECTID_API_URL and --environment are both set"},
        Bad{"url_beside_an_environment_variable", start({"--api-url", "https://127.0.0.1:1"}),
            "--api-url and CONNECTID_ENVIRONMENT are both set", Variables{token, "CONNECTID_ENVIRONMENT=test"}},
        Bad{"an_environment_flag_and_variable_beside_a_url_variable", start({"--environment", "test"}), "both set",
            Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_ENVIRONMENT=test"}},
        Bad{"url_empty", start({"--api-url", ""}), "--api-url is empty"},
        Bad{"url_with_a_query", start({"--api-url", "https://127.0.0.1:1/?a=b"}), "API URL"},
        Bad{"token_and_token_file", start({}), "are both set",
            Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_ACCESS_TOKEN_FILE=/nowhere"}},
        Bad{"token_file_missing", start({}), "the file \"/nowhere\" cannot be read",
            Variables{"CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_ACCESS_TOKEN_FILE=/nowhere"}},
        Bad{"token_file_empty", start({}), "is empty",
            Variables{"CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_ACCESS_TOKEN_FILE=/dev/null"}},
        Bad{"token_file_variable_empty", start({}), "CONNECTID_ACCESS_TOKEN_FILE is set but empty",
            Variables{"CONNECTID_API_URL=https://127.0.0.1:1", "CONNECTID_ACCESS_TOKEN_FILE="}},
        Bad{"account_variable", start({"--api-url", "http://127.0.0.1:1"}),
            "CONNECTID_ACCOUNT and an access token (CONNECTID_ACCESS_TOKEN, CONNECTID_ACCESS_TOKEN_FILE) are both set",
            Variables{token, "CONNECTID_ACCOUNT=a"}},
        Bad{"attempts_of_none", start({"--max-attempts", "0"}), "--max-attempts takes a whole number of 1 or more"},
        Bad{"attempts_below_none", start({"--max-attempts", "-1"}), "--max-attempts takes"},
        Bad{"attempts_not_whole", start({"--max-attempts", "1.5"}), "not \"1.5\""},
        Bad{"attempts_too_many", start({"--max-attempts", "99999999999"}), "--max-attempts takes"},
        Bad{"attempts_empty", start({"--max-attempts", ""}), "--max-attempts takes"},
        Bad{"rate_without_unit", start({"--rate", "10"}), "such as 10/s or 500/min, not \"10\""},
        Bad{"rate_by_the_hour", start({"--rate", "10/h"}), "--rate takes a part of the API's"},
        Bad{"rate_above_the_apis", start({"--rate", "101/s"}), "--rate takes a part"},
        Bad{"rate_of_nothing", start({"--rate", "0/s"}), "--rate takes"},
        Bad{"rate_below_nothing", start({"--rate", "-1/s"}), "--rate takes"},
        Bad{"rate_without_end", start({"--rate", "inf/s"}), "--rate takes"},
        Bad{"rate_that_is_no_number", start({"--rate", "nan/min"}), "--rate takes"},
        Bad{"rate_empty", start({"--rate", ""}), "--rate takes"},
        Bad{"journal_in_no_directory", start({"--journal", "/nowhere/journal"}),
            "the journal \"/nowhere/journal\" cannot be used: No such file"},
        Bad{"journal_that_is_a_directory", start({"--journal", "/tmp"}), "the journal \"/tmp\" cannot be used"},
        Bad{"journal_that_is_no_file", start({"--journal", "/dev/null"}), "it is not a regular file"},
        Bad{"journal_empty", start({"--journal", ""}), "the journal \"\" cannot be used"},
        Bad{"timeout_empty", start({"--timeout", ""}), "--timeout"},
        Bad{"offset_that_no_zone_has", start({"--end-time", "2026-05-01T00:00:00+99:00"}), "offset"},
        Bad{"offset_of_one_digit", start({"--end-time", "2026-05-01T00:00:00+2"}), "--end-time takes"},
        Bad{"offset_without_digits", start({"--end-time", "2026-05-01T00:00:00+"}), "--end-time takes"},
        Bad{"offset_with_seconds", start({"--end-time", "2026-05-01T00:00:00+02:00:30"}), "--end-time takes"},
        Bad{"time_without_zeros", start({"--end-time", "2026-5-1T0:0:0Z"}), "--end-time takes"},
        Bad{"time_with_a_space", start({"--end-time", " 2026-05-01T00:00:00Z"}), "--end-time takes"},
        Bad{"leap_second", start({"--end-time", "2016-12-31T23:59:60Z"}), "--end-time takes"},
        Bad{"hour_that_no_day_has", start({"--end-time", "2026-05-01T25:00:00Z"}), "--end-time takes"},
        Bad{"time_as_long_as_an_argument_can_be", start({"--end-time", std::string(120'000, '1')}),
            "--end-time is too long"},
        Bad{"flag_in_place_of_a_value", start({"--customer-reference", "--token=a-secret"}),
            "--customer-reference: its value is missing: --token is a flag"},
        Bad{"output_in_capitals", {"start", "--output", "JSON"}, "--output"},
        Bad{"output_by_number", {"start", "--output", "1"}, "--output"},
        Bad{"call_id_empty", start({"--call-id", ""}), "--call-id is empty",
            Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1"}},
        Bad{"call_id_with_a_space", start({"--call-id", "a b"}), "call_id",
            Variables{token, "CONNECTID_API_URL=https://127.0.0.1:1"}},
        Bad{"json_field_that_steers_a_terminal", from_input(), "foo?[2J?3J", {}, "{\"foo\\u001b[2J\\u009b3J\":1}"},
        Bad{"no_zone_data", start({"--end-date", "2026-07-01"}), "no time zone data", Variables{"TZDIR=/nonexistent"}},
        Bad{"no_token",
            start({}),
            "CONNECTID_ACCESS_TOKEN is not set",
            Variables{"CONNECTID_API_URL=https://127.0.0.1:1"},
            {},
            4},
        Bad{"port_closed",
            start({"--api-url", "http://127.0.0.1:1", "--max-attempts", "1"}),
            "connect",
            Variables{token},
            {},
            7}}),
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
      "connectid: a command is missing: the commands are start, list, validate, login, token, accounts, "
      "logout, fake-server\n"))
      << ended.err;
}

TEST_F(ProgramTest, a_usage_error_names_the_help_of_its_command) {
  const std::pair<std::vector<std::string>, std::string> rows[] = {
      {{"begin"}, "connectid"},
      {{"--nonsense"}, "connectid"},
      {{"start", "--nonsense"}, "connectid start"},
      {{"start", "--copies", "1x"}, "connectid start"},
      {{"list", "--timeout", "1"}, "connectid list"},
      {{"token", "--nonsense"}, "connectid token"},
      {{"token", "import", "--nonsense"}, "connectid token import"}};
  for (const auto& [arguments, command] : rows) {
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.status, 2);
    EXPECT_TRUE(ended.err.ends_with("\nNothing was sent. See `" + command + " --help`.\n")) << ended.err;
  }
}

TEST_F(ProgramTest, a_usage_error_of_a_command_that_only_reads_is_one_object_that_says_nothing_of_a_start) {
  for (const char* command : {"list", "accounts"}) {
    const Ended ended = run({command, "--output", "json", "--nonsense"});
    EXPECT_EQ(ended.status, 2);
    EXPECT_EQ(ended.out, R"({"error":{"kind":"usage","message":"unknown flag --nonsense"}})"
                         "\n");
    EXPECT_EQ(ended.err, "");
  }
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
}  // namespace connectid::cli
