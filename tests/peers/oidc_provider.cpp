// npm's oidc-provider, as an authorization server that others wrote: a refresh replaces the refresh token, and one that
// comes again after that ends all that the customer had granted.
#include <connectid/connectid.hpp>

#include <gmock/gmock.h>
#include <httplib.h>
#include <sys/wait.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/documented_example.hpp"
#include "support/peer.hpp"
#include "support/temporary_directory.hpp"

namespace connectid::peers {
namespace {

using auth::ClientAuthentication;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string secret = R"(canary +:%&=?/"secret)";  // as it stands in server.mjs
const std::string installed_in = CONNECTID_OIDC_PROVIDER;

/// A command of the shell's that runs beside the test.
FILE* begin(const std::string& command) { return popen(command.c_str(), "re"); }

/// Its exit status, once it has ended, and what it printed.
std::pair<int, std::string> wait_for(FILE* running) {
  std::string printed;
  for (int c = 0; (c = std::getc(running)) != EOF;) printed += static_cast<char>(c);
  return {WEXITSTATUS(pclose(running)), printed};
}

class OidcProvider : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto [status, said] =
        wait_for(begin(CONNECTID_SOURCE_DIR "/tests/peers/oidc_provider/install.sh '" + installed_in + "' 2>&1"));
    if (status == 77) GTEST_SKIP() << "oidc-provider is not there: " << said;
    ASSERT_EQ(status, 0) << said;
    peer_ = std::make_unique<Peer>(Recipe{.program = "node", .arguments = {installed_in + "/server.mjs", "@PORT@"}});
  }

  [[nodiscard]] Environment environment() const { return Environment::custom(peer_->url(), peer_->url()); }
  [[nodiscard]] auth::Credentials credentials(ClientAuthentication by, Secret told = secret) const {
    return {.environment = environment(),
            .client_id = by == ClientAuthentication::basic ? "by basic" : "by body",
            .client_secret = std::move(told),
            .client_authentication = by};
  }
  [[nodiscard]] Result<StartSubscriptionResponse> start(const TokenSource& source) const {
    return SubscriptionClient({.environment = environment(), .token_source = source}).start(documented_example);
  }
  /// Puts the refresh token of a customer who has just logged in into the store.
  void import(auth::TokenStore& store, const Secret& refresh_token) const {
    ASSERT_TRUE(auth::import_refresh_token(store, credentials(ClientAuthentication::basic), "anna", refresh_token));
  }
  [[nodiscard]] TokenSource source_of(std::shared_ptr<auth::TokenStore> store) const {
    return auth::refresh_token_source(
        {.credentials = credentials(ClientAuthentication::basic), .store = std::move(store), .account = "anna"});
  }
  [[nodiscard]] Secret log_in() const {
    const auto response = httplib::Client(peer_->url()).Post("/log_in?client=by%20basic&account=anna");
    return response ? Secret(response->body) : Secret();
  }
  [[nodiscard]] json counts() const {
    const auto response = httplib::Client(peer_->url()).Get("/counts");
    return response ? json::parse(response->body) : json();
  }

 private:
  std::unique_ptr<Peer> peer_;
};

TEST_F(OidcProvider, gives_client_credentials_by_basic_and_by_body_and_tells_a_wrong_secret) {
  for (const auto by : {ClientAuthentication::basic, ClientAuthentication::body}) {
    SCOPED_TRACE(by == ClientAuthentication::basic ? "by Basic" : "by body");
    const auto started = start(auth::client_credentials_source({.credentials = credentials(by)}));
    EXPECT_TRUE(started) << started.error();
    const auto refused = start(auth::client_credentials_source({.credentials = credentials(by, "canary of nobody")}));
    ASSERT_FALSE(refused);
    const auto* why = refused.error().get_if<TokenError>();
    ASSERT_TRUE(why) << refused.error();
    EXPECT_EQ(why->error, "invalid_client");
    EXPECT_EQ(why->http_status, 401);
    EXPECT_FALSE(why->temporary || why->log_in_again) << refused.error();
  }
  EXPECT_EQ(counts()["starts"], 2);
}

/// What the test below counts none of is counted where there is some.
TEST_F(OidcProvider, ends_all_that_was_granted_when_a_replaced_refresh_token_comes_again) {
  const auto store = std::make_shared<auth::MemoryTokenStore>(), copy = std::make_shared<auth::MemoryTokenStore>();
  const Secret refresh_token = log_in();
  import(*store, refresh_token);
  import(*copy, refresh_token);
  const TokenSource source = source_of(store);
  ASSERT_TRUE(start(source));
  for (const auto& refused : {start(source_of(copy)), start(source)}) {
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), AllOf(HasSubstr("invalid_grant"), HasSubstr("log in again")));
  }
  EXPECT_EQ(counts(), json({{"refreshes", 1}, {"reused_refresh_tokens", 1}, {"starts", 1}, {"refused_starts", 1}}));
}

TEST_F(OidcProvider, sees_each_refresh_token_once_and_no_dead_access_token_of_4_processes_with_4_threads) {
  constexpr int processes = 4, seconds = 20, life = 6, starts_each = 4 * seconds * 20;
  const TemporaryDirectory directory;
  import(*std::make_shared<auth::FileTokenStore>(directory / "tokens"), log_in());
  const auto began = std::chrono::steady_clock::now();
  std::vector<FILE*> running;
  for (int i = 0; i < processes; ++i) {
    running.push_back(begin(CONNECTID_RENEWING_STARTS " " + environment().api_url() + " " + (directory / "tokens") +
                            " anna 'by basic' '" + secret + "' " + std::to_string(seconds)));
  }
  int started = 0;
  for (FILE* const process : running) {
    const auto [status, printed] = wait_for(process);
    EXPECT_EQ(status, 0);
    started += std::stoi(printed);
  }
  const json seen = counts();
  const int refreshes = seen["refreshes"];
  const auto took = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began).count();
  std::cout << processes << " processes of 4 threads, " << seconds << " s at a life of " << life << " s: " << started
            << " of " << processes * starts_each << " started, " << refreshes
            << " refreshes, refresh tokens reused: " << seen["reused_refresh_tokens"]
            << ", starts refused for a token: " << seen["refused_starts"] << '\n';
  EXPECT_EQ(started, processes * starts_each);
  EXPECT_EQ(seen["starts"], started);
  EXPECT_EQ(seen["reused_refresh_tokens"], 0);
  EXPECT_EQ(seen["refused_starts"], 0);
  EXPECT_GE(refreshes, seconds / life) << "the tokens lived longer than they should";
  EXPECT_LE(refreshes, 2 + took / 3) << "each process renewed for itself";
}

}  // namespace
}  // namespace connectid::peers
