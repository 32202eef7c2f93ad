// Accounts at a shell: who is logged in, whose tokens a start uses, and where secrets come from and do not go.
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <connectid/auth/file_token_store.hpp>

#include "support/accounts_test.hpp"
#include "support/eventually.hpp"

namespace connectid::cli {
namespace {

using nlohmann::json;
class ProgramAccounts : public AccountsTest, public ::testing::WithParamInterface<AuthorizationServer> {
 protected:
  ProgramAccounts() : AccountsTest(GetParam().options) {}
  [[nodiscard]] static bool like_spring() {
    return GetParam().options.authorization_server == testing::AuthorizationServer::spring;
  }
};
/// A file, and who opens it.
class WatchedFile {
 public:
  explicit WatchedFile(const std::string& path) { inotify_add_watch(fd_, path.c_str(), IN_OPEN); }
  WatchedFile(const WatchedFile&) = delete;
  WatchedFile& operator=(const WatchedFile&) = delete;
  ~WatchedFile() { close(fd_); }
  void wait_for_opens(int count) const {
    for (inotify_event event{}; count > 0; --count) {
      pollfd fd{fd_, POLLIN, 0};
      ASSERT_EQ(poll(&fd, 1, 30'000), 1);
      ASSERT_EQ(read(fd_, &event, sizeof event), ssize_t(sizeof event));
    }
  }

 private:
  int fd_ = inotify_init1(IN_CLOEXEC);
};

INSTANTIATE_TEST_SUITE_P(AuthorizationServers, ProgramAccounts, ::testing::ValuesIn(authorization_servers()),
                         [](const auto& row) { return row.param.name; });

TEST_P(ProgramAccounts, a_customers_refresh_token_is_imported_once_and_their_starts_are_let_in) {
  import("anna");
  for (int i = 0; i < 2; ++i) {
    const Ended ended = run(start({"--account", "anna", "--output", "json"}));
    EXPECT_EQ(ended.status, 0) << ended.out;
    EXPECT_EQ(json::parse(ended.out).at("account"), "anna");
  }
  ASSERT_EQ(server.started().size(), 2U);
  EXPECT_EQ(server.started()[1].account, "anna");
  EXPECT_EQ(server.token_requests().size(), 1U) << "the second run found the first one's token";
}

TEST_P(ProgramAccounts, an_expired_token_is_renewed_and_the_refresh_token_rotates) {
  import("anna");
  server.access_token_lifetime(std::chrono::seconds{1});
  EXPECT_TRUE(eventually([&] { return !token().empty() && server.token_requests().size() >= 3; }));
  EXPECT_EQ(server.reused_refresh_tokens(), 0U);
}

TEST_P(ProgramAccounts, a_token_that_the_api_refuses_is_renewed_and_the_start_sent_once_more) {
  import("anna");
  EXPECT_EQ(run(start()).status, 0);
  server.expire_access_tokens();
  const Ended ended = run(start({"--output", "json"}));
  EXPECT_EQ(ended.status, 0) << ended.out;
  EXPECT_EQ(json::parse(ended.out).at("attempts"), 2);
  EXPECT_EQ(server.started().size(), 2U);
}

TEST_P(ProgramAccounts, the_client_logs_in_with_its_own_credentials) {
  const Ended ended = run({"login", "--client-credentials"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.out, "logged in: account test-client\n");
  EXPECT_EQ(run(start()).status, 0);
  EXPECT_EQ(server.started().front().account, "test-client");
  EXPECT_EQ(run({"login", "--client-credentials"}).status, 0);
  EXPECT_GE(server.token_requests().size(), 2U) << "a login asks, whatever is kept";
  EXPECT_LE(server.token_requests().size(), 3U) << "and once more where it is given the token that it has";
}

TEST_P(ProgramAccounts, a_login_that_is_given_the_token_that_was_kept_succeeds) {
  server.always_token_request(
      testing::response(200, R"({"access_token":"canary-same","token_type":"bearer","expires_in":3000})"));
  for (int i = 0; i < 2; ++i) {
    const Ended ended = run({"login", "--client-credentials"});
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_EQ(ended.out, "logged in: account test-client\n");
    EXPECT_EQ(token(), "canary-same\n");
  }
}

TEST_P(ProgramAccounts, a_login_fixes_a_broken_file_and_puts_it_aside) {
  EXPECT_EQ(run({"login", "--client-credentials", "--account", "shop"}).status, 0);
  const std::filesystem::path file = token_file();
  std::ofstream(file) << "no JSON";
  EXPECT_EQ(run({"token", "--account", "shop"}).status, 2);
  const json broken = json::parse(run({"accounts", "--output", "json"}).out).at("accounts")[0];
  EXPECT_NE(broken.at("error").get<std::string>().find(file.filename()), std::string::npos) << broken;
  const Ended ended = run({"login", "--client-credentials", "--account", "shop"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.out, "logged in: account shop\n");
  EXPECT_TRUE(std::filesystem::exists(file.string() + ".broken"));
  EXPECT_TRUE(token({"--account", "shop"}).starts_with("canary-access-"));
}

TEST_P(ProgramAccounts, who_is_not_in_the_store_afterwards_is_not_logged_in) {
  EXPECT_EQ(run({"login", "--client-credentials"}).status, 0);
  const std::string before = token();
  // No file may grow, as on a disk that is full. What is printed goes into a pipe.
  const Ended ended = Process({"bash", "-c", "set -o pipefail; (ulimit -f 0; exec \"$0\" \"$@\") 2>&1 | cat",
                               CONNECTID_PROGRAM, "login", "--client-credentials"},
                              variables({"PATH=/usr/bin:/bin"}))
                          .wait();
  EXPECT_EQ(token(), before);
  if (like_spring()) {  // it gives the token that is kept
    EXPECT_EQ(ended.status, 0) << ended.out;
    return;
  }
  EXPECT_EQ(ended.status, 7);
  EXPECT_EQ(ended.out.find("logged in"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("test-client"), std::string::npos) << ended.out;
}

TEST_P(ProgramAccounts, without_a_login_url_no_secret_is_asked_for) {
  const Words alone{"CONNECTID_API_URL=" + server.url(), "CONNECTID_CLIENT_ID=test-client",
                    "XDG_DATA_HOME=" + (data / ""), "PATH=/usr/bin:/bin"};
  for (const Words& command : {Words{"login", "--client-credentials"}, Words{"token", "import", "--account", "a"}}) {
    Words words{"setsid", "--wait", CONNECTID_PROGRAM};
    words.insert(words.end(), command.begin(), command.end());
    const Ended ended = Process(words, alone).wait();
    EXPECT_EQ(ended.status, 2);
    EXPECT_NE(ended.err.find("set CONNECTID_LOGIN_URL"), std::string::npos) << ended.err;
  }
}

TEST_P(ProgramAccounts, the_secret_may_lie_in_a_file_and_go_into_the_body) {
  const TemporaryFile secret("test-secret\n");
  const Ended ended = without_secrets(Program({"login", "--client-credentials", "--account", "own"},
                                              variables_without_secret({"CONNECTID_CLIENT_SECRET_FILE=" + secret.name(),
                                                                        "CONNECTID_CLIENT_AUTHENTICATION=body"}))
                                          .wait());
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(server.token_requests().front().client_id, "test-client");
}

TEST_P(ProgramAccounts, an_import_reads_no_client_secret) {
  const Words no_file = variables_without_secret({"CONNECTID_CLIENT_SECRET_FILE=/nowhere"});
  const Streams input{.in = server.log_in("anna") + "\n"};
  const Ended ended = Program({"token", "import", "--account", "anna"}, no_file, input).wait();
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(run(start({"--account", "anna"})).status, 0);
}

TEST_P(ProgramAccounts, an_import_forgets_no_tokens_that_could_still_be_used) {
  import("anna");
  const std::string before = token();
  const Streams without_end{.in_path = "/dev/zero"};  // and not read
  const Ended refused = run({"token", "import", "--account", "anna"}, {}, without_end);
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("account anna has tokens already, for " + server.url() + " and the client test-client"),
            std::string::npos)
      << refused.err;
  EXPECT_NE(refused.err.find("--replace"), std::string::npos) << refused.err;
  EXPECT_EQ(token(), before);
  const Streams another{.in = server.log_in("anna") + "\n"};
  EXPECT_EQ(run({"token", "import", "--account", "anna", "--replace"}, {}, another).status, 0);
  EXPECT_NE(token(), before);
}

TEST_P(ProgramAccounts, an_import_replaces_what_must_log_in_again_unasked) {
  import("anna");
  server.revoke("anna");
  EXPECT_EQ(run({"token"}).status, 4);
  import("anna");
  EXPECT_EQ(run(start()).status, 0);
  std::ofstream(token_file()) << "no JSON";
  import("anna");
  EXPECT_EQ(run(start()).status, 0);
}

TEST_P(ProgramAccounts, an_import_finds_what_another_one_kept_while_it_waited) {
  auth::FileTokenStore store(data / "connectid/tokens");
  auto other = store.lock("anna", {});
  ASSERT_TRUE(other);
  const WatchedFile lock_file(data / "connectid/tokens/lock");
  Program program({"token", "import", "--account", "anna"}, variables(), {.in = server.log_in("anna") + "\n"});
  lock_file.wait_for_opens(2);  // it waits: it tries anew
  ASSERT_TRUE(store.save("anna", {.refresh_token = Secret("of-another"), .api_url = "https://api.example"}));
  *other = nullptr;
  const Ended ended = without_secrets(program.wait());
  EXPECT_EQ(ended.status, 2);
  EXPECT_NE(ended.err.find("--replace"), std::string::npos) << ended.err;
  EXPECT_EQ((*store.load("anna"))->refresh_token.reveal(), "of-another");
}

TEST_P(ProgramAccounts, token_prints_what_is_good_now_for_other_programs) {
  import("anna");
  const std::string printed = token();
  EXPECT_TRUE(printed.starts_with("canary-access-") && printed.ends_with("\n")) << printed;
  EXPECT_EQ(token({"--account", "anna"}), printed);
  const Ended start_with_it =
      Program(start(), {"CONNECTID_API_URL=" + server.url(), "CONNECTID_ACCESS_TOKEN=" + printed}).wait();
  EXPECT_EQ(start_with_it.status, 0) << "one line break at its end is dropped: " << start_with_it.err;
}

TEST_P(ProgramAccounts, a_token_that_standard_output_cannot_take_is_shown_nowhere) {
  import("anna");
  for (const char* path : {"-", "/dev/full"}) {
    const Ended ended = run({"token"}, {}, {.out_path = path});
    EXPECT_EQ(ended.status, 1) << path;
    EXPECT_EQ(ended.err,
              "connectid: standard output cannot be written, and the secret is shown nowhere else: run this again "
              "where it can\n")
        << path;
  }
}

TEST_P(ProgramAccounts, with_several_accounts_and_none_named_nothing_is_sent_and_their_names_are_told) {
  import("kari");
  import("anna");
  for (const Words& command : {start(), Words{"token"}, Words{"logout"}}) {
    const Ended ended = run(command);
    EXPECT_EQ(ended.status, 2);
    EXPECT_NE(ended.err.find(": anna, kari\n"), std::string::npos) << ended.err;
  }
  EXPECT_EQ(run(start(), {"CONNECTID_ACCOUNT=kari"}).status, 0);
  EXPECT_EQ(run(start({"--account", "anna"}), {"CONNECTID_ACCOUNT=kari"}).status, 0) << "a flag wins over a variable";
  EXPECT_EQ(run(start({"--account", "anna"}), {"CONNECTID_ACCESS_TOKEN=wrong"}).status, 0);
  ASSERT_EQ(server.started().size(), 3U);
  EXPECT_EQ(server.started()[0].account, "kari");
  EXPECT_EQ(server.started()[1].account, "anna");
  EXPECT_EQ(server.started()[2].account, "anna");
}

TEST_P(ProgramAccounts, an_access_token_in_the_environment_is_used_whoever_is_logged_in) {
  import("anna");
  EXPECT_EQ(run(start(), {cli::token}).status, 0);
  EXPECT_EQ(server.started().front().account, "test");
  EXPECT_TRUE(server.token_requests().empty());
}

TEST_P(ProgramAccounts, tokens_go_to_no_other_api_and_login) {
  import("anna");
  testing::FakeServer other;
  const Words to_other{"CONNECTID_API_URL=" + other.url(), "CONNECTID_LOGIN_URL=" + other.login_url(),
                       "CONNECTID_CLIENT_SECRET=test-secret", "XDG_DATA_HOME=" + (data / "")};
  const Ended unnamed = without_secrets(Program(start(), to_other).wait());
  EXPECT_EQ(unnamed.status, 4);
  EXPECT_NE(unnamed.err.find("nobody is logged in for " + other.url()), std::string::npos) << unnamed.err;
  const Ended named = without_secrets(Program(start({"--account", "anna"}), to_other).wait());
  EXPECT_EQ(named.status, 4);
  EXPECT_NE(named.err.find("was got for " + server.url()), std::string::npos) << named.err;
  EXPECT_TRUE(other.received().empty());
  EXPECT_TRUE(other.token_requests().empty());
}

TEST_P(ProgramAccounts, accounts_are_listed_without_their_tokens) {
  EXPECT_EQ(run({"accounts"}).err, "nobody is logged in\n");
  import("anna");
  EXPECT_EQ(run({"accounts"}).out,
            "anna\n  " + server.url() + ", client test-client\n  no access token yet; renewed by its refresh token\n");
  EXPECT_EQ(run({"login", "--client-credentials"}).status, 0);
  const json all = json::parse(run({"accounts", "--output", "json"}).out).at("accounts");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].at("account"), "anna");
  EXPECT_EQ(all[0].at("access_token_expires_at"), nullptr);
  EXPECT_EQ(all[0].at("has_refresh_token"), true);
  EXPECT_EQ(all[1].at("account"), "test-client");
  EXPECT_EQ(all[1].at("api_url"), server.url());
  EXPECT_EQ(all[1].at("login_url"), server.login_url());
  EXPECT_EQ(all[1].at("client_id"), "test-client");
  EXPECT_EQ(all[1].at("has_refresh_token"), false);
}

TEST_P(ProgramAccounts, a_file_that_others_may_read_is_listed_with_what_to_do_and_not_used) {
  import("anna");
  std::filesystem::permissions(token_file(), std::filesystem::perms{0644});
  const Ended listed = run({"accounts"});
  EXPECT_EQ(listed.status, 0);
  EXPECT_NE(listed.out.find("others may read or write it: fix that with chmod 600"), std::string::npos) << listed.out;
  const Ended used = run(start({"--account", "anna"}));
  EXPECT_EQ(used.status, 2);
  EXPECT_TRUE(server.received().empty());
}

TEST_P(ProgramAccounts, none_is_chosen_by_elimination_where_the_file_of_one_cannot_be_used) {
  import("anna");
  std::filesystem::permissions(token_file(), std::filesystem::perms{0644});
  import("shop");
  for (const Words& command : {start(), Words{"token"}, Words{"logout"}}) {
    const Ended ended = run(command);
    EXPECT_EQ(ended.status, 2);
    EXPECT_NE(ended.err.find("fix that with chmod 600"), std::string::npos) << ended.err;
    EXPECT_NE(ended.err.find(": shop\n"), std::string::npos) << ended.err;
  }
  EXPECT_TRUE(server.received().empty());
  EXPECT_TRUE(server.token_requests().empty());
  EXPECT_EQ(run(start({"--account", "shop"})).status, 0) << "one that is named and good serves all the same";
  EXPECT_EQ(server.started().front().account, "shop");
}

TEST_P(ProgramAccounts, the_problem_of_the_only_file_is_told_of_and_not_that_nobody_is_logged_in) {
  import("anna");
  std::ofstream(token_file()) << "no JSON";
  for (const Words& command : {start(), Words{"token"}, Words{"logout"}}) {
    const Ended ended = run(command);
    EXPECT_EQ(ended.status, 2);
    EXPECT_NE(ended.err.find("is broken ("), std::string::npos) << ended.err;
    EXPECT_NE(ended.err.find("name one with --account"), std::string::npos) << ended.err;
  }
  EXPECT_EQ(run({"logout", "--account", "anna"}).out, "logged out: account anna is forgotten on this machine\n");
  EXPECT_EQ(run({"logout"}).err, "nobody is logged in\n");
}

TEST_P(ProgramAccounts, a_named_account_that_is_not_logged_in_is_refused_and_not_made) {
  import("test");
  const std::string says = "account tset is not logged in: ";
  const Ended started = run(start({"--account", "tset"}));
  EXPECT_EQ(started.status, 4);
  EXPECT_NE(started.err.find(says), std::string::npos) << started.err;
  const Ended by_variable = run(start(), {"CONNECTID_ACCOUNT=tset"});
  EXPECT_EQ(by_variable.status, 4);
  EXPECT_NE(by_variable.err.find(says), std::string::npos) << by_variable.err;
  const Ended printed = run({"token", "--account", "tset"});
  EXPECT_EQ(printed.status, 4);
  EXPECT_EQ(printed.out, "");
  EXPECT_NE(printed.err.find(says), std::string::npos) << printed.err;
  const Ended in_json = run(start({"--account", "tset", "--output", "json"}));
  EXPECT_EQ(in_json.status, 4);
  const json response = json::parse(in_json.out);
  EXPECT_EQ(response.at("outcome"), "not_sent");
  EXPECT_EQ(response.at("error").at("kind"), "token_error");
  EXPECT_NE(std::string(response.at("error").at("message")).find(says), std::string::npos) << in_json.out;
  EXPECT_TRUE(server.token_requests().empty());
  EXPECT_TRUE(server.received().empty());
  EXPECT_EQ(json::parse(run({"accounts", "--output", "json"}).out).at("accounts").size(), 1U);
}

TEST_P(ProgramAccounts, logout_forgets_the_account_here) {
  import("anna");
  EXPECT_EQ(run({"logout"}).out, "logged out: account anna is forgotten on this machine\n");
  EXPECT_EQ(run({"logout", "--account", "anna"}).err, "account anna is not logged in\n");
  EXPECT_EQ(run({"logout"}).err, "nobody is logged in\n");
  EXPECT_EQ(run(start()).status, 4);
  for (const auto& file : std::filesystem::directory_iterator(data / "connectid/tokens")) {
    EXPECT_EQ(file.path().filename(), "lock");
  }
}

TEST_P(ProgramAccounts, a_refused_refresh_token_is_status_4_and_says_log_in_again) {
  import("anna");
  server.revoke("anna");
  const Ended ended = run(start());
  EXPECT_EQ(ended.status, 4);
  EXPECT_NE(ended.err.find("log in again"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("connectid token import"), std::string::npos) << ended.err;
  EXPECT_TRUE(server.received().empty());
}

TEST_P(ProgramAccounts, a_refused_refresh_token_is_never_sent_again_and_the_accounts_say_so) {
  import("anna");
  EXPECT_EQ(json::parse(run({"accounts", "--output", "json"}).out).at("accounts")[0].at("log_in_again"), false);
  server.revoke("anna");
  EXPECT_EQ(run({"token"}).status, 4);
  EXPECT_EQ(server.token_requests().size(), 1U);
  for (const Words& command : {start(), Words{"token"}, Words{"token", "--renew-all"}}) {
    const Ended ended = run(command);
    EXPECT_EQ(ended.status, 4);
    EXPECT_NE(ended.err.find("log in again"), std::string::npos) << ended.err;
  }
  EXPECT_EQ(server.token_requests().size(), 1U);
  const json anna = json::parse(run({"accounts", "--output", "json"}).out).at("accounts")[0];
  EXPECT_EQ(anna.at("log_in_again"), true);
  const std::string error = like_spring() ? "invalid_token" : "invalid_grant";
  EXPECT_EQ(anna.at("refused"), error);
  EXPECT_NE(run({"accounts"}).out.find("must log in again: its refresh token was refused (" + error + ")"),
            std::string::npos);
  import("anna");
  EXPECT_EQ(run(start()).status, 0);
  EXPECT_EQ(json::parse(run({"accounts", "--output", "json"}).out).at("accounts")[0].at("refused"), nullptr);
}

/// What a start and a list say of a token that they do not get.
struct NoToken {
  const char* name = "";
  bool api_refuses = false;  ///< 401, before the authorization server says anything
  testing::Script authorization_server = {};
  int status = 0;
  bool log_in_again = false, temporary = false;
  const char* next_step = "";
};
void PrintTo(const NoToken& row, std::ostream* out) { *out << row.name; }
class ProgramNoToken : public AccountsTest, public ::testing::WithParamInterface<NoToken> {};

TEST_P(ProgramNoToken, is_told_with_what_to_do_next) {
  import("anna");
  if (GetParam().api_refuses) EXPECT_NE(token(), "");
  server.expire_access_tokens();
  server.always_token_request(GetParam().authorization_server);
  const Ended text = run(start());
  EXPECT_EQ(text.status, GetParam().status);
  EXPECT_NE(text.err.find(GetParam().next_step), std::string::npos) << text.err;
  EXPECT_EQ(text.err.find("Log the account in") != std::string::npos, GetParam().log_in_again) << text.err;
  const Ended in_json = run(start({"--output", "json"}));
  EXPECT_EQ(in_json.status, GetParam().status);
  EXPECT_EQ(json::parse(in_json.out).at("error").at("kind"), GetParam().api_refuses ? "unauthorized" : "token_error");
  for (const std::string& out : {in_json.out, run({"list", "--output", "json"}).out}) {
    const json error = json::parse(out).at("error");
    EXPECT_EQ(error.at("log_in_again"), GetParam().log_in_again) << error;
    EXPECT_EQ(error.at("temporary"), GetParam().temporary) << error;
  }
  EXPECT_TRUE(server.started().empty());
}
INSTANTIATE_TEST_SUITE_P(
    Table, ProgramNoToken,
    ::testing::ValuesIn(std::vector<NoToken>{
        {"down", false, testing::response(503, "{}"), 7, false, true, "It may pass: wait, then retry; that is safe."},
        {"down_after_a_401", true, testing::response(503, "{}"), 4, false, true,
         "It may pass: wait, then retry; that is safe."},
        {"refused", false, testing::token_error(400, "invalid_grant"), 4, true, false, "connectid token import"},
        {"refused_after_a_401", true, testing::token_error(400, "invalid_grant"), 4, true, false,
         "connectid token import"},
        {"wrong_client", false, testing::token_error(401, "invalid_client"), 4, false, false, "Fix what the message"}}),
    [](const auto& row) { return row.param.name; });

TEST_P(ProgramAccounts, who_is_not_logged_in_must_log_in_and_no_other_error_says_so) {
  const json nobody = json::parse(run(start({"--output", "json"})).out).at("error");
  EXPECT_EQ(nobody.at("log_in_again"), true);
  EXPECT_EQ(nobody.at("temporary"), false);
  import("anna");
  server.always(testing::response(400, R"({"exceptionType":"E","errorMessage":"M"})"));
  EXPECT_FALSE(json::parse(run(start({"--output", "json"})).out).at("error").contains("log_in_again"));
}

TEST_F(AccountsTest, a_new_refresh_token_that_cannot_be_kept_is_told_of_as_lost) {
  server.always_token_request(testing::delayed(std::chrono::seconds{1}));
  for (const Words& command : {start(), Words{"token", "--renew-all"}}) {
    import("anna");
    Program program(command, variables());
    const std::size_t before = server.token_requests().size();
    ASSERT_TRUE(eventually([&] { return server.token_requests().size() > before; }));
    // The store was tried before the request; the authorization server has replaced the refresh token by now.
    const std::string in_the_way = token_file().string() + ".new";
    std::filesystem::create_symlink("/nowhere", in_the_way);
    const Ended ended = without_secrets(program.wait());
    EXPECT_EQ(ended.status, 4) << "nothing was sent without the token";
    const std::size_t lost =
        ended.err.find("connectid: LOST: the new refresh token of account \"anna\" could not be saved: log in again (");
    ASSERT_NE(lost, std::string::npos) << ended.err;
    std::filesystem::remove(in_the_way);
    EXPECT_EQ(run({"logout"}).status, 0);
  }
  EXPECT_TRUE(server.started().empty());
}

TEST_P(ProgramAccounts, a_login_that_is_down_is_status_7_for_it_may_pass) {
  import("anna");
  server.always_token_request(testing::response(503, "{}"));
  const Ended down = run(start({"--max-attempts", "1"}));
  EXPECT_EQ(down.status, 7) << down.err;
  EXPECT_EQ(server.token_gate().exchanges(), 1U) << "one attempt is one request, to the authorization server too";
  server.token_gate().stop_listening();
  EXPECT_EQ(run({"token", "--max-attempts", "1"}).status, 7);
  EXPECT_TRUE(server.received().empty());
}

TEST_P(ProgramAccounts, without_the_clients_secret_a_live_token_serves_and_an_expired_one_is_told_of) {
  EXPECT_EQ(run({"login", "--client-credentials"}).status, 0);
  EXPECT_EQ(Program(start(), variables_without_secret()).wait().status, 0);
  server.expire_access_tokens();
  const Ended ended = Program(start(), variables_without_secret()).wait();
  EXPECT_EQ(ended.status, 4);
  EXPECT_NE(ended.err.find("client_secret is empty"), std::string::npos) << ended.err;
}

TEST_P(ProgramAccounts, a_signal_while_the_authorization_server_is_silent_ends_it_and_sends_nothing) {
  import("anna");
  server.always_token_request(testing::silent());
  Program program(start(), variables());
  ASSERT_TRUE(eventually([&] { return server.token_requests().size() == 1; }));
  program.signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return program.err().find("cancelled") != std::string::npos; })) << "it is told at once";
  server.always_token_request({});
  static_cast<void>(server.token_gate().close_connections());  // else it would wait for the renewal
  EXPECT_EQ(without_secrets(program.wait()).status, 7);
  EXPECT_TRUE(server.received().empty());
}

TEST_P(ProgramAccounts, a_signal_ends_an_import_that_waits_for_a_renewal_and_keeps_nothing) {
  import("anna");
  const auto before = std::filesystem::last_write_time(token_file());
  const auto renewal = auth::FileTokenStore(data / "connectid/tokens").lock("anna", {});
  ASSERT_TRUE(renewal);
  const WatchedFile lock_file(data / "connectid/tokens/lock");
  Program program({"token", "import", "--account", "anna", "--replace"}, variables(),
                  {.in = server.log_in("anna") + "\n"});
  lock_file.wait_for_opens(2);  // it waits: it tries anew
  program.signal(SIGINT);
  EXPECT_EQ(without_secrets(program.wait()).status, 7);
  EXPECT_EQ(std::filesystem::last_write_time(token_file()), before);
}

struct BadSecret {
  const char* name;
  Words arguments;
  Words more;  ///< variables
  Streams streams;
  const char* says;
};
void PrintTo(const BadSecret& row, std::ostream* out) { *out << row.name; }
class ProgramBadSecret : public AccountsTest, public ::testing::WithParamInterface<BadSecret> {};

TEST_P(ProgramBadSecret, is_a_usage_error_that_does_not_repeat_it) {
  const Ended ended = without_secrets(
      Program(GetParam().arguments, variables_without_secret(GetParam().more), GetParam().streams).wait());
  EXPECT_EQ(ended.status, 2);
  EXPECT_NE(ended.err.find(GetParam().says), std::string::npos) << ended.err;
  EXPECT_TRUE(server.token_requests().empty());
}
INSTANTIATE_TEST_SUITE_P(
    Table, ProgramBadSecret,
    ::testing::ValuesIn(std::vector{
        BadSecret{"no_account", {"token", "import"}, {}, {.in = "canary"}, "--account is missing"},
        BadSecret{"nothing", {"token", "import", "--account", "a"}, {}, {}, "is empty"},
        BadSecret{"a_line_break_alone", {"token", "import", "--account", "a"}, {}, {.in = "\n"}, "is empty"},
        BadSecret{
            "two_lines", {"token", "import", "--account", "a"}, {}, {.in = "canary\ncanary\n"}, "must be one line"},
        BadSecret{
            "two_line_breaks", {"token", "import", "--account", "a"}, {}, {.in = "canary\n\n"}, "must be one line"},
        BadSecret{"a_carriage_return_alone",
                  {"token", "import", "--account", "a"},
                  {},
                  {.in = "canary\r"},
                  "must be one line"},
        BadSecret{"a_line_break_and_a_carriage_return",
                  {"token", "import", "--account", "a"},
                  {},
                  {.in = "canary\n\r"},
                  "must be one line"},
        BadSecret{
            "a_control_character", {"token", "import", "--account", "a"}, {}, {.in = "can\tary"}, "must be one line"},
        BadSecret{
            "not_ascii", {"token", "import", "--account", "a"}, {}, {.in = "canary\xC3\xA5"}, "that none can hold"},
        BadSecret{"in_an_argument", {"login", "--client-credentials", "--client-secret", "canary"}, {}, {}, "unknown"},
        BadSecret{"empty_secret", {"login", "--client-credentials"}, {"CONNECTID_CLIENT_SECRET="}, {}, "set but empty"},
        BadSecret{"two_secrets",
                  {"login", "--client-credentials"},
                  {"CONNECTID_CLIENT_SECRET=canary", "CONNECTID_CLIENT_SECRET_FILE=/nowhere"},
                  {},
                  "both set"},
        BadSecret{"no_file",
                  {"login", "--client-credentials"},
                  {"CONNECTID_CLIENT_SECRET_FILE=/nowhere"},
                  {},
                  "cannot be read"},
        BadSecret{"authentication",
                  {"login", "--client-credentials"},
                  {"CONNECTID_CLIENT_SECRET=canary", "CONNECTID_CLIENT_AUTHENTICATION=digest"},
                  {},
                  "not basic or body"},
        BadSecret{"no_way", {"login"}, {"CONNECTID_CLIENT_SECRET=canary"}, {}, "login needs --client-credentials"},
        BadSecret{"token_in_two_lines", start(), {"CONNECTID_ACCESS_TOKEN=canary\nX"}, {}, "must be one line"},
        BadSecret{"empty_account", start({"--account", ""}), {}, {}, "--account is empty"},
        BadSecret{
            "empty_account_variable", start(), {"CONNECTID_ACCOUNT="}, {}, "CONNECTID_ACCOUNT is set but empty"}}),
    [](const auto& row) { return row.param.name; });

// ---- at a terminal

/// The program at a terminal of its own, which shows what it prints and what is typed.
class Terminal {
 public:
  Terminal(Words arguments, Words variables) {
    arguments.insert(arguments.begin(), CONNECTID_PROGRAM);
    pid_ = forkpty(&master_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      const auto pointers = [](Words& texts) {
        std::vector<char*> all;
        for (std::string& text : texts) all.push_back(text.data());
        all.push_back(nullptr);
        return all;
      };
      execve(CONNECTID_PROGRAM, pointers(arguments).data(), pointers(variables).data());
      _exit(127);
    }
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(master_);
  }

  void type(const std::string& text) const {
    EXPECT_EQ(write(master_, text.data(), text.size()), ssize_t(text.size()));
  }
  [[nodiscard]] bool echoes() const {
    termios now{};
    tcgetattr(master_, &now);
    return (now.c_lflag & ECHO) != 0;
  }
  /// Reads on until it has shown this.
  bool shows(const std::string& text) {
    while (shown_.find(text) == std::string::npos && read_on()) {
    }
    return shown_.find(text) != std::string::npos;
  }
  int wait() {
    while (read_on()) {
    }
    int state = 0;
    waitpid(std::exchange(pid_, -1), &state, 0);
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  }
  [[nodiscard]] const std::string& shown() const { return shown_; }

 private:
  bool read_on() {
    char piece[256];
    const ssize_t count = read(master_, piece, sizeof piece);
    if (count > 0) shown_.append(piece, static_cast<std::size_t>(count));
    return count > 0;
  }

  int master_ = -1;
  pid_t pid_ = -1;
  std::string shown_;
};

TEST_P(ProgramAccounts, the_secret_is_asked_for_at_a_terminal_and_not_shown) {
  Terminal terminal({"login", "--client-credentials"}, variables_without_secret());
  ASSERT_TRUE(terminal.shows("client secret of test-client: "));
  EXPECT_FALSE(terminal.echoes());
  terminal.type("test-secret\n");
  EXPECT_EQ(terminal.wait(), 0) << terminal.shown();
  EXPECT_EQ(terminal.shown(), "client secret of test-client: \r\nlogged in: account test-client\r\n");
}

TEST_P(ProgramAccounts, a_refresh_token_that_is_typed_is_not_shown) {
  Terminal terminal({"token", "import", "--account", "test"}, variables());
  ASSERT_TRUE(terminal.shows("refresh token: "));
  EXPECT_FALSE(terminal.echoes());
  terminal.type("test-refresh-token\n");
  EXPECT_EQ(terminal.wait(), 0) << terminal.shown();
  EXPECT_EQ(terminal.shown().find("test-refresh"), std::string::npos) << terminal.shown();
  EXPECT_EQ(run(start()).status, 0);
}

TEST_P(ProgramAccounts, a_line_that_a_terminal_truncates_is_refused) {
  for (const std::size_t length : {4095U, 5000U}) {
    Terminal terminal({"token", "import", "--account", "test"}, variables());
    ASSERT_TRUE(terminal.shows("refresh token: "));
    terminal.type(std::string(length, 'x') + "\n");
    EXPECT_EQ(terminal.wait(), 2) << length;
    EXPECT_NE(terminal.shown().find("give it on standard input"), std::string::npos) << terminal.shown();
  }
  Terminal terminal({"token", "import", "--account", "test"}, variables());
  ASSERT_TRUE(terminal.shows("refresh token: "));
  terminal.type(std::string(4094, 'x') + "\n");
  EXPECT_EQ(terminal.wait(), 0) << terminal.shown();
}

TEST_P(ProgramAccounts, no_key_stops_the_program_or_dumps_it_while_the_terminal_is_silent) {
  for (const char* key : {"\x1a", "\x1c"}) {  // Ctrl-Z, Ctrl-backslash
    Terminal terminal({"login", "--client-credentials"}, variables_without_secret());
    ASSERT_TRUE(terminal.shows("client secret of test-client: "));
    terminal.type(std::string(key) + "test-secret\n");
    EXPECT_EQ(terminal.wait(), 2) << "it is a character as others, and none of a secret's: " << terminal.shown();
    EXPECT_NE(terminal.shown().find("control character"), std::string::npos) << terminal.shown();
  }
  EXPECT_TRUE(server.token_requests().empty());
}

TEST_P(ProgramAccounts, ctrl_c_at_the_prompt_gives_the_terminal_back) {
  Terminal terminal({"login", "--client-credentials"}, variables_without_secret());
  ASSERT_TRUE(terminal.shows("client secret of test-client: "));
  ASSERT_FALSE(terminal.echoes());
  terminal.type("\x03");
  EXPECT_EQ(terminal.wait(), 7) << terminal.shown();
  EXPECT_TRUE(terminal.echoes());
  EXPECT_TRUE(server.token_requests().empty());
}

TEST_P(ProgramAccounts, a_token_is_printed_to_a_terminal_only_where_that_is_asked_for) {
  import("anna");
  Terminal refused({"token"}, variables());
  EXPECT_EQ(refused.wait(), 2);
  EXPECT_NE(refused.shown().find("--show"), std::string::npos) << refused.shown();
  EXPECT_EQ(refused.shown().find("canary"), std::string::npos);
  EXPECT_TRUE(server.token_requests().empty());
  Terminal shown({"token", "--show"}, variables());
  EXPECT_EQ(shown.wait(), 0);
  EXPECT_NE(shown.shown().find("canary-access-"), std::string::npos);
}

TEST_F(AccountsTest, no_core_dump_holds_a_secret) {
  rlimit own{};
  getrlimit(RLIMIT_CORE, &own);
  if (own.rlim_max == 0) GTEST_SKIP() << "this machine allows no core dumps";
  const NamedPipe pipe;
  const Program reads({"start", "--json", pipe.name()}, variables());
  ASSERT_TRUE(eventually([&] { return reads.blocks(SIGTERM); }));
  EXPECT_EQ(reads.limit(RLIMIT_CORE).rlim_cur, 0U);
  EXPECT_EQ(reads.limit(RLIMIT_CORE).rlim_max, 0U);
}

TEST_P(ProgramAccounts, without_a_terminal_no_secret_is_asked_for) {
  // A process of its own session has none.
  const Ended ended = Process({"setsid", "--wait", CONNECTID_PROGRAM, "login", "--client-credentials"},
                              variables_without_secret({"PATH=/usr/bin:/bin"}))
                          .wait();
  EXPECT_EQ(ended.status, 2);
  EXPECT_NE(ended.err.find("there is no terminal to ask at"), std::string::npos) << ended.err;
}

}  // namespace
}  // namespace connectid::cli
