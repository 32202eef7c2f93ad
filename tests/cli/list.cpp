// What a customer has, listed at a shell: status, standard output, standard error, and what was asked.
#include <csignal>

#include "support/eventually.hpp"
#include "support/program_test.hpp"

namespace connectid::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using Words = std::vector<std::string>;

Words list(const Words& more = {}) {
  Words all{"list"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}
Words list_json(const Words& more = {}) {
  Words all = list({"--output", "json"});
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST_F(ProgramTest, lists_nothing_where_there_is_nothing) {
  const Ended text = run(list());
  EXPECT_EQ(text.status, 0);
  EXPECT_EQ(text.out, "");
  EXPECT_EQ(text.err, "no subscriptions\n");

  const Ended ended = run(list_json());
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.err, "");
  const json listed = json::parse(ended.out);
  EXPECT_EQ(listed.size(), 2U) << listed;
  EXPECT_EQ(listed.at("subscriptions"), json::array());
  EXPECT_EQ(listed.at("call_id").get<std::string>().size(), 36U);
}

TEST_F(ProgramTest, lists_what_was_started) {
  ASSERT_EQ(run(start()).status, 0);
  const Ended text = run(list());
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_TRUE(text.out.starts_with("CO27409, from Wed 1 April 2026 00:00 Europe/Oslo")) << text.out;
  EXPECT_EQ(text.err, "");

  const json listed = json::parse(run(list_json()).out);
  ASSERT_EQ(listed.at("subscriptions").size(), 1U) << listed;
  const json& one = listed.at("subscriptions")[0];
  EXPECT_EQ(one.at("product"), "CO27409");
  EXPECT_EQ(one.at("startTime"), 1774994400000);
  EXPECT_EQ(one.at("couponCode"), "WMDigi");
  EXPECT_EQ(one.at("couponNumber"), 5223);
}

TEST_F(ProgramTest, lists_each_subscription_with_all_that_the_server_says) {
  server.always(testing::response(200, R"({"subscriptions":[
      {"product":"A","startTime":1774994400000,"endTime":1792969199000,"paid":true,"stopped":true,"shareable":false,
       "shareType":"S","salesPerson":"kari","priceDetails":{"couponCode":"C","couponNumber":7}},
      {"product":"B\u001b[2J","paid":false,"stopped":false}]})"));
  EXPECT_EQ(run(list()).out,
            "A, from Wed 1 April 2026 00:00 Europe/Oslo, until Sun 25 October 2026 23:59:59 Europe/Oslo, paid, "
            "stopped\nB?[2J, not paid\n");
  EXPECT_TRUE(run(list({"--zone", "UTC"})).out.starts_with("A, from Tue 31 March 2026 22:00 UTC, until "));
  const json first = {
      {"product", "A"},   {"startTime", 1774994400000}, {"endTime", 1792969199000}, {"paid", true},
      {"stopped", true},  {"couponCode", "C"},          {"couponNumber", 7},        {"shareable", false},
      {"shareType", "S"}, {"salesPerson", "kari"}};
  const json listed = json::parse(run(list_json()).out).at("subscriptions");
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0], first);
  EXPECT_EQ(listed[1].size(), first.size());
  EXPECT_EQ(listed[1].at("paid"), false);
  for (const char* absent :
       {"startTime", "endTime", "couponCode", "couponNumber", "shareable", "shareType", "salesPerson"}) {
    EXPECT_TRUE(listed[1].at(absent).is_null()) << absent;
  }
}

TEST_F(ProgramTest, lists_what_the_mode_says) {
  EXPECT_EQ(run(list({"--mode", "B2B"})).status, 0);
  EXPECT_EQ(run(list()).status, 0);
  ASSERT_EQ(server.received().size(), 2U);
  EXPECT_EQ(server.received()[0].path, "/v1/subscription?subscriptionSourceFetchMode=B2B");
  EXPECT_EQ(server.received()[1].path, "/v1/subscription");
}

struct FailedList {
  const char* name;
  testing::Script script;
  int status;
  const char* kind;
  std::size_t attempts = 1;  ///< of two that are allowed
};
class ProgramFailedList : public ProgramTest, public ::testing::WithParamInterface<FailedList> {};

TEST_P(ProgramFailedList, has_its_exit_status_in_json_and_in_text) {
  server.always(GetParam().script);
  const Ended text = run(list({"--max-attempts", "2"}));
  EXPECT_EQ(text.status, GetParam().status) << text.err;
  EXPECT_EQ(text.out, "");
  EXPECT_TRUE(text.err.starts_with("connectid: ")) << text.err;
  EXPECT_EQ(server.received().size(), GetParam().attempts);

  const Ended ended = run(list_json({"--max-attempts", "2"}));
  EXPECT_EQ(ended.status, GetParam().status);
  EXPECT_EQ(ended.err, "");
  const json failed = json::parse(ended.out);
  EXPECT_EQ(failed.size(), 2U) << failed;
  EXPECT_EQ(failed.at("error").at("kind"), GetParam().kind);
  ASSERT_EQ(server.received().size(), 2 * GetParam().attempts);
  EXPECT_EQ(failed.at("call_id"), *http::find(server.received().back().headers, "X-Request-Id"));
  EXPECT_EQ((text.err + ended.out).find("test-token"), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(Table, ProgramFailedList,
                         ::testing::ValuesIn(std::vector{
                             FailedList{"bad_request", testing::response(400, "{}"), 3, "bad_request"},
                             FailedList{"unauthorized", testing::response(401, "{}"), 4, "unauthorized"},
                             FailedList{"forbidden", testing::response(403, R"({"errorMessage":"m"})"), 4, "forbidden"},
                             FailedList{"rate_limited_each_time", testing::rate_limited_for(1s), 5, "rate_limited", 2},
                             FailedList{"response_lost_each_time", testing::started_but_response_lost(), 7,
                                        "transport_error", 2},
                             FailedList{"server_error", testing::response(500, "{}"), 7, "server_error", 2},
                             FailedList{"no_list", testing::response(200, "{}"), 7, "unexpected_response"}}),
                         [](const auto& row) { return row.param.name; });

struct UnsentList {
  const char* name;
  Words arguments;
  const char* says;
  Words variables = {token};
  int status = 2;
  std::string url = {};  ///< empty: the test's server
};
class ProgramUnsentList : public ProgramTest, public ::testing::WithParamInterface<UnsentList> {};

TEST_P(ProgramUnsentList, says_why_in_json_and_in_text_and_sends_nothing) {
  Words variables = GetParam().variables;
  variables.push_back("CONNECTID_API_URL=" + (GetParam().url.empty() ? server.url() : GetParam().url));
  const Ended text = Program(list(GetParam().arguments), variables).wait();
  EXPECT_EQ(text.status, GetParam().status);
  EXPECT_EQ(text.out, "");
  EXPECT_NE(text.err.find(GetParam().says), std::string::npos) << text.err;

  const Ended ended = Program(list_json(GetParam().arguments), variables).wait();
  EXPECT_EQ(ended.status, GetParam().status);
  EXPECT_EQ(ended.err, "");
  const json failed = json::parse(ended.out);
  EXPECT_FALSE(failed.contains("outcome")) << failed;
  EXPECT_NE(failed.at("error").at("message").get<std::string>().find(GetParam().says), std::string::npos) << failed;
  EXPECT_EQ(server.gate().exchanges(), 0U);
}
INSTANTIATE_TEST_SUITE_P(
    Table, ProgramUnsentList,
    ::testing::ValuesIn(std::vector{
        UnsentList{"mode_empty", {"--mode", ""}, "--mode is empty"},
        UnsentList{"mode_unknown", {"--mode", "b2b"}, "must be ORDINARY, B2B or ALL"},
        UnsentList{"zone_unknown", {"--zone", "Nowhere"}, "--zone: "},
        UnsentList{"flag_unknown", {"--nonsense"}, "unknown flag --nonsense"},
        UnsentList{"account_beside_a_token", {}, "are both set", {token, "CONNECTID_ACCOUNT=a"}},
        UnsentList{"no_token", {}, "CONNECTID_ACCESS_TOKEN is not set", {"A=1"}, 4},
        UnsentList{"nobody_of_that_name", {"--account", "anna"}, "account anna is not logged in", {"A=1"}, 4},
        UnsentList{"no_server", {"--max-attempts", "1"}, "connect", {token}, 7, "http://127.0.0.1:1"}}),
    [](const auto& row) { return row.param.name; });

TEST_F(ProgramTest, a_lost_response_of_a_list_is_fetched_again) {
  server.next(testing::started_but_response_lost());
  EXPECT_EQ(run(list()).status, 0);
  EXPECT_EQ(server.received().size(), 2U);
}

TEST_F(ProgramTest, lists_those_of_an_account_that_is_logged_in) {
  const TemporaryDirectory data;
  const Words variables{"CONNECTID_API_URL=" + server.url(), "CONNECTID_LOGIN_URL=" + server.login_url(),
                        "CONNECTID_CLIENT_ID=test-client", "CONNECTID_CLIENT_SECRET=test-secret",
                        "XDG_DATA_HOME=" + (data / "")};
  for (const char* name : {"anna", "kari"}) {
    const Streams input{.in = server.log_in(name) + "\n"};
    ASSERT_EQ(Program({"token", "import", "--account", name}, variables, input).wait().status, 0);
  }
  ASSERT_EQ(Program(start({"--account", "anna"}), variables).wait().status, 0);
  EXPECT_TRUE(Program(list({"--account", "anna"}), variables).wait().out.starts_with("CO27409, "));
  EXPECT_EQ(Program(list({"--account", "kari"}), variables).wait().err, "no subscriptions\n");
}

TEST_F(ProgramTest, lists_and_warns_where_the_rate_limit_file_cannot_be_written) {
  Words no_directory = variables();
  no_directory.emplace_back("XDG_DATA_HOME=/dev/null");
  const Ended listed = Program(list_json(), no_directory).wait();
  const Ended started = Program(start(), no_directory).wait();
  EXPECT_EQ(listed.status, 0);
  EXPECT_TRUE(json::parse(listed.out).contains("subscriptions"));
  EXPECT_TRUE(listed.err.starts_with("connectid: warning: /dev/null")) << listed.err;
  EXPECT_EQ(listed.err, started.err);
}

TEST_F(ProgramTest, a_signal_before_a_list_has_its_token_is_told_as_json_too) {
  const NamedPipe pipe;
  Program program(list_json(), {"CONNECTID_API_URL=" + server.url(), "CONNECTID_ACCESS_TOKEN_FILE=" + pipe.name()});
  ASSERT_TRUE(eventually([&] { return program.has_open(pipe.name()); }));
  program.signal(SIGTERM);
  const Ended ended = program.wait();
  EXPECT_EQ(ended.status, 7);
  EXPECT_EQ(json::parse(ended.out).at("error").at("kind"), "cancelled");
  EXPECT_EQ(ended.err, "");
  EXPECT_EQ(server.gate().connections(), 0U);
}

}  // namespace
}  // namespace connectid::cli
