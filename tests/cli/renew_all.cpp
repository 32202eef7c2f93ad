// token --renew-all: the refresh tokens of many customers, for a cron job.
#include <connectid/auth/file_token_store.hpp>
#include <csignal>
#include <fstream>
#include <regex>

#include "support/accounts_test.hpp"
#include "support/eventually.hpp"

namespace connectid::cli {
namespace {

using nlohmann::json;

class ProgramRenewAll : public AccountsTest, public ::testing::WithParamInterface<AuthorizationServer> {
 protected:
  ProgramRenewAll() : AccountsTest(GetParam().options) {}

  [[nodiscard]] Ended renew_all(Words more = {}) const {
    more.insert(more.begin(), {"token", "--renew-all"});
    return run(std::move(more));
  }
  [[nodiscard]] json renewed_json() const { return json::parse(renew_all({"--output", "json"}).out).at("accounts"); }
};
INSTANTIATE_TEST_SUITE_P(AuthorizationServers, ProgramRenewAll, ::testing::ValuesIn(authorization_servers()),
                         [](const auto& row) { return row.param.name; });

TEST_P(ProgramRenewAll, renews_every_customers_token_though_it_is_valid_and_prints_none) {
  for (const char* account : {"kari", "anna"}) import(account);
  const std::string before = token({"--account", "anna"});
  EXPECT_EQ(run({"login", "--client-credentials"}).status, 0);
  EXPECT_EQ(server.token_requests().size(), 2U);
  const Ended ended = renew_all();
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  EXPECT_TRUE(
      std::regex_match(ended.out, std::regex("renewed: anna, access token until 20\\d\\d-\\d\\d-\\d\\d [\\d:]+Z\n"
                                             "renewed: kari, access token until 20\\d\\d-\\d\\d-\\d\\d [\\d:]+Z\n")))
      << ended.out;
  EXPECT_EQ(server.token_requests().size(), 4U) << "the client's own token is not a customer's";
  EXPECT_NE(token({"--account", "anna"}), before);
  EXPECT_EQ(run(start({"--account", "kari"})).status, 0);
  EXPECT_EQ(server.token_requests().size(), 4U);
  EXPECT_EQ(server.reused_refresh_tokens(), 0U);
}

TEST_P(ProgramRenewAll, where_there_is_no_customer_it_says_so) {
  const std::string nobody = "no customer's account is kept for " + server.url() + "\n";
  EXPECT_EQ(renew_all().err, nobody);
  EXPECT_EQ(renew_all().status, 0);
  import("anna");
  testing::FakeServer other;
  const Words variables_of_another{"CONNECTID_API_URL=" + other.url(), "CONNECTID_LOGIN_URL=" + other.login_url(),
                                   "CONNECTID_CLIENT_SECRET=test-secret", "XDG_DATA_HOME=" + (data / "")};
  const Ended elsewhere = Program({"token", "--renew-all"}, variables_of_another).wait();
  EXPECT_EQ(elsewhere.err, "no customer's account is kept for " + other.url() + "\n");
  EXPECT_EQ(elsewhere.status, 0);
  const Ended of_another_client = renew_all({"--client-id", "another"});
  EXPECT_EQ(of_another_client.status, 0);
  EXPECT_EQ(of_another_client.err, nobody);
  EXPECT_EQ(json::parse(renew_all({"--client-id", "another", "--output", "json"}).out),
            json::parse(R"({"accounts":[]})"));
  EXPECT_TRUE(server.token_requests().empty());
  EXPECT_TRUE(other.token_requests().empty());
}

TEST_P(ProgramRenewAll, names_who_must_log_in_again_and_asks_for_them_once) {
  for (const char* account : {"anna", "kari", "ola"}) import(account);
  server.revoke("kari");
  for (int i = 0; i < 2; ++i) {
    const Ended ended = renew_all();
    EXPECT_EQ(ended.status, 4);
    EXPECT_NE(ended.out.find("renewed: anna"), std::string::npos) << ended.out;
    EXPECT_NE(ended.out.find("renewed: ola"), std::string::npos) << ended.out;
    EXPECT_EQ(ended.out.find("kari"), std::string::npos) << ended.out;
    EXPECT_TRUE(ended.err.starts_with("log in again: kari: ")) << ended.err;
  }
  EXPECT_EQ(server.token_requests().size(), 5U);
  const json all = renewed_json();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].at("account"), "anna");
  EXPECT_EQ(all[0].at("outcome"), "renewed");
  EXPECT_TRUE(all[0].at("access_token_expires_at").is_string());
  EXPECT_FALSE(all[0].contains("error"));
  EXPECT_EQ(all[1].at("account"), "kari");
  EXPECT_EQ(all[1].at("outcome"), "log_in_again");
  EXPECT_EQ(all[1].at("error").at("log_in_again"), true);
}

TEST_P(ProgramRenewAll, what_failed_for_now_is_status_7_and_a_login_that_is_needed_goes_before_it) {
  for (const char* account : {"anna", "kari"}) import(account);
  server.always_token_request(testing::response(503, "{}"));
  const Ended down = renew_all();
  EXPECT_EQ(down.status, 7);
  EXPECT_EQ(down.out, "");
  EXPECT_TRUE(down.err.starts_with("failed: anna: ")) << down.err;
  EXPECT_NE(down.err.find("\nfailed: kari: "), std::string::npos) << down.err;
  EXPECT_EQ(renewed_json()[0].at("outcome"), "failed");
  std::ofstream(token_file()) << "no JSON";
  const Ended broken = renew_all();
  EXPECT_EQ(broken.status, 4);
  EXPECT_NE(broken.err.find("\ncannot be used: the token file "), std::string::npos) << broken.err;
  EXPECT_NE(broken.err.find(token_file().filename()), std::string::npos) << broken.err;
  server.always_token_request({});
  EXPECT_EQ(renew_all().out.find("renewed: "), 0U) << "the other one";
}

TEST_P(ProgramRenewAll, a_file_that_others_may_read_is_named_and_is_status_2) {
  import("anna");
  std::filesystem::permissions(token_file(), std::filesystem::perms{0644});
  import("kari");
  const Ended ended = renew_all();
  EXPECT_EQ(ended.status, 2);
  EXPECT_TRUE(ended.out.starts_with("renewed: kari")) << ended.out;
  EXPECT_NE(ended.err.find("chmod 600"), std::string::npos) << ended.err;
  EXPECT_EQ(renewed_json().back().at("outcome"), "failed");
}

TEST_P(ProgramRenewAll, asks_as_the_client_that_each_account_was_logged_in_with) {
  import("anna");
  EXPECT_EQ(
      run({"token", "import", "--account", "kari", "--client-id", "another"}, {}, {.in = server.log_in("kari")}).status,
      0);
  Words unnamed = variables();
  std::erase(unnamed, "CONNECTID_CLIENT_ID=test-client");
  const Ended both = without_secrets(Program({"token", "--renew-all"}, unnamed).wait());
  EXPECT_EQ(both.status, 4);
  EXPECT_TRUE(both.out.starts_with("renewed: anna")) << both.out;
  EXPECT_TRUE(both.err.starts_with("failed: kari: ")) << both.err;
  ASSERT_EQ(server.token_requests().size(), 2U);
  EXPECT_EQ(server.token_requests()[0].client_id, "another") << "in the order of the clients";
  EXPECT_EQ(server.token_requests()[1].client_id, "test-client");
  EXPECT_EQ(renew_all().status, 0) << "a client that is named is the only one";
}

TEST_P(ProgramRenewAll, a_signal_ends_what_has_not_begun_and_waits_for_what_is_under_way) {
  constexpr std::size_t accounts = 12;
  constexpr std::size_t at_a_time = 8;
  for (std::size_t i = 0; i < accounts; ++i) import("customer" + std::to_string(i));
  server.always_token_request(testing::delayed(std::chrono::seconds{2}));
  Program program({"token", "--renew-all"}, variables());
  ASSERT_TRUE(eventually([&] { return server.token_requests().size() >= at_a_time; }));
  program.signal(SIGTERM);
  const Ended ended = without_secrets(program.wait());
  EXPECT_EQ(ended.status, 7);
  const auto lines = [](const std::string& text) { return std::size_t(std::ranges::count(text, '\n')); };
  EXPECT_EQ(lines(ended.out), server.token_requests().size()) << ended.out;
  EXPECT_EQ(lines(ended.err), accounts - lines(ended.out)) << ended.err;
  EXPECT_NE(ended.err.find("the renewal has not begun"), std::string::npos) << ended.err;
  server.always_token_request({});
  EXPECT_EQ(renew_all().status, 0) << "what was under way was kept";
  EXPECT_EQ(server.reused_refresh_tokens(), 0U);
}

TEST_P(ProgramRenewAll, a_time_limit_is_for_the_whole_run) {
  import("anna");
  EXPECT_EQ(
      run({"token", "import", "--account", "kari", "--client-id", "another"}, {}, {.in = server.log_in("kari")}).status,
      0);
  server.always_token_request(testing::delayed(std::chrono::seconds{1}));
  Words unnamed = variables();
  std::erase(unnamed, "CONNECTID_CLIENT_ID=test-client");
  const Ended ended = without_secrets(Program({"token", "--renew-all", "--timeout", "500ms"}, unnamed).wait());
  EXPECT_NE(ended.err.find("failed: anna: the renewal has not begun, and there is no time left"), std::string::npos)
      << ended.err;
  EXPECT_EQ(server.token_requests().size(), 1U);
}

TEST_P(ProgramRenewAll, takes_no_account_and_only_it_takes_json) {
  const Ended both = renew_all({"--account", "anna"});
  EXPECT_EQ(both.status, 2);
  EXPECT_NE(both.err.find("give only one of --"), std::string::npos) << both.err;
  const Ended in_json = run({"token", "--output", "json"});
  EXPECT_EQ(in_json.status, 2);
  EXPECT_NE(std::string(json::parse(in_json.out).at("error").at("message")).find("--renew-all"), std::string::npos);
}

}  // namespace
}  // namespace connectid::cli
