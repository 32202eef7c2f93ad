// Tokens that renew themselves: many threads, many customers, several processes, and processes that are killed.
#include <connectid/connectid.hpp>
#include <connectid/testing/fake_server.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/documented_example.hpp"
#include "support/eventually.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

namespace connectid {
namespace {

using namespace std::chrono_literals;

auth::Credentials credentials_for(const testing::FakeServer& server) {
  return {.environment = server.environment(),
          .client_id = "test-client",
          .client_secret = "test-secret",
          .transport = std::make_shared<http::CurlTransport>()};
}

/// A kind of authorization server.
struct Login {
  const char* name;
  testing::AuthorizationServer kind;
  bool rotates;
};
void PrintTo(const Login& login, std::ostream* out) { *out << login.name; }
std::string name_of(const ::testing::TestParamInfo<Login>& info) { return info.param.name; }

using Kind = testing::AuthorizationServer;
constexpr Login rfc{"rfc", Kind::rfc, true}, rfc_without_rotation{"rfc_without_rotation", Kind::rfc, false},
    spring{"spring", Kind::spring, false}, spring_with_rotation{"spring_with_rotation", Kind::spring, true};

class TokensOfALogin : public ::testing::TestWithParam<Login> {
 protected:
  explicit TokensOfALogin(bool tls = false)
      : server({.tls = tls, .rotate_refresh_tokens = GetParam().rotates, .authorization_server = GetParam().kind}) {}

  testing::FakeServer server;
  const auth::Credentials credentials = credentials_for(server);
};

class TokensThreads : public TokensOfALogin {
 protected:
  [[nodiscard]] SubscriptionClient client() const {
    return SubscriptionClient({.environment = server.environment(), .rate_limit = RateLimit::off()});
  }
  [[nodiscard]] TokenSource source_of(const std::string& account) const {
    return auth::refresh_token_source({.credentials = credentials, .store = store, .account = account});
  }
  void import(const std::string& account) {
    ASSERT_TRUE(auth::import_refresh_token(*store, credentials, account, server.log_in(account)));
  }

  const TemporaryDirectory directory;
  const std::shared_ptr<auth::FileTokenStore> store = std::make_shared<auth::FileTokenStore>(directory / "tokens");
};
INSTANTIATE_TEST_SUITE_P(Login, TokensThreads, ::testing::Values(rfc, spring, spring_with_rotation), name_of);

TEST_P(TokensThreads, sixty_four_that_meet_a_refused_token_ask_the_authorization_server_once_and_start_once_each) {
  import("anna");
  const SubscriptionClient of_anna = client().with(source_of("anna"));
  ASSERT_TRUE(of_anna.start(documented_example));
  server.expire_access_tokens();
  const std::size_t before = server.token_requests().size();
  std::barrier together(64);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&] {
      together.arrive_and_wait();
      const auto result = of_anna.start(documented_example);
      EXPECT_TRUE(result) << result.error();
    });
  }
  threads.clear();
  std::cout << "64 threads, an expired token: " << server.token_requests().size() - before << " token request, "
            << server.started().size() - 1 << " started, " << server.bodies_received() - 1 << " bodies\n";
  EXPECT_EQ(server.token_requests().size() - before, 1U);
  EXPECT_EQ(server.started().size(), 65U);
}

TEST_P(TokensThreads, a_thousand_accounts_on_sixteen_threads_are_never_mixed_up) {
  constexpr int accounts = 1000 / CONNECTID_TEST_PATIENCE, threads = 16, rounds = 3;
  for (int i = 0; i < accounts; ++i) import("customer-" + std::to_string(i));
  const auth::Accounts all(credentials, store);
  const SubscriptionClient calls = client();
  std::atomic<int> next = 0;
  const auto start_them = [&] {
    for (int i = next++; i < accounts * rounds; i = next++) {
      const auto account = static_cast<std::size_t>(i % accounts);
      if (i == accounts * rounds / 2) server.expire_access_tokens();
      StartSubscriptionRequest request = documented_example;
      request.customer_reference = "customer-" + std::to_string(account);
      const auto result = calls.start(request, {.token_source = all.source(request.customer_reference)});
      EXPECT_TRUE(result) << result.error();
    }
  };
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i) all.emplace_back(start_them);
  }
  const auto started = server.started();
  const auto mixed_up = std::ranges::count_if(
      started, [](const auto& start) { return start.account != start.request.customer_reference; });
  std::cout << accounts << " accounts, " << threads << " threads: " << started.size() << " of " << accounts * rounds
            << " started, " << server.token_requests().size() << " token requests, " << server.gate().connections()
            << " connections; mixed up: " << mixed_up << "; refresh tokens reused: " << server.reused_refresh_tokens()
            << '\n';
  EXPECT_EQ(mixed_up, 0);
  EXPECT_EQ(started.size(), std::size_t{accounts * rounds});
  EXPECT_EQ(server.reused_refresh_tokens(), 0U);
}

// ---- what the wire does to a renewal

class TokensOnTheWire : public TokensOfALogin {
 protected:
  explicit TokensOnTheWire(bool tls = false) : TokensOfALogin(tls) {
    EXPECT_TRUE(auth::import_refresh_token(*store, credentials, "test", "test-refresh-token"));
  }
  [[nodiscard]] TokenSource source(auth::Renewal renewal = {.retry_policy = {.first_pause = 0ms}}) const {
    return auth::refresh_token_source(
        {.credentials = credentials, .store = store, .account = "test", .renewal = renewal});
  }
  /// One that cannot be found in the store.
  [[nodiscard]] Result<AccessToken> renewed() const {
    const auto stored = store->load("test");
    return source()({.refused = (*stored)->access_token});
  }

  const std::shared_ptr<auth::MemoryTokenStore> store = std::make_shared<auth::MemoryTokenStore>();
};
INSTANTIATE_TEST_SUITE_P(Login, TokensOnTheWire, ::testing::Values(rfc_without_rotation, spring), name_of);

TEST_P(TokensOnTheWire, a_response_truncated_anywhere_is_asked_for_once_more) {
  ASSERT_TRUE(renewed());
  std::size_t cuts = 0, asked_again = 0;
  for (bool whole = false; !whole; ++cuts) {
    const std::size_t before = server.token_requests().size();
    server.next_token_request(testing::truncate_response_at(cuts));
    const auto token = renewed();
    ASSERT_TRUE(token) << "cut at " << cuts << ": " << token.error();
    const std::size_t requests = server.token_requests().size() - before;
    ASSERT_TRUE(requests == 1 || requests == 2) << "cut at " << cuts;
    asked_again += requests - 1;
    whole = requests == 1 && cuts > 100;  // from the end of the JSON on
    ASSERT_LT(cuts, 1000U);
  }
  std::cout << "a response cut at each of " << cuts << " places: " << asked_again << " asked for once more\n";
  EXPECT_GT(asked_again, 100U);
}

TEST_P(TokensOnTheWire, a_response_without_an_end_is_given_up_at_its_limit) {
  server.next_token_request(
      testing::raw_response("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"access_token\":\"" +
                                std::string(std::size_t{64} << 20, 'x'),
                            testing::Fault::End::fin));
  const auto token = renewed();
  ASSERT_FALSE(token);
  EXPECT_NE(token.error().message().find("too large"), std::string::npos) << token.error();
  EXPECT_EQ(server.token_gate().exchanges(), 1U) << "what is too large is so a second time";
}

TEST_P(TokensOnTheWire, a_silent_login_is_given_up_in_time) {
  server.always_token_request(testing::silent());
  const auto began = std::chrono::steady_clock::now();
  const auto patient = source({.timeout = 400ms})({});
  ASSERT_FALSE(patient);
  EXPECT_EQ(patient.error().kind(), ErrorKind::token_error);
  EXPECT_TRUE(patient.error().get_if<TokenError>()->temporary);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
}

TEST_P(TokensOnTheWire, a_caller_leaves_a_silent_login_when_it_likes) {
  server.always_token_request(testing::silent());
  const auto waits = source();
  const auto hasty = waits({.deadline = std::chrono::steady_clock::now() + 20ms});
  ASSERT_FALSE(hasty);
  EXPECT_EQ(hasty.error().kind(), ErrorKind::deadline_exceeded);
  server.always_token_request({});
  static_cast<void>(server.token_gate().close_connections());  // else the source's end would wait for the renewal
}

class TokensTls : public TokensOnTheWire {
 protected:
  TokensTls() : TokensOnTheWire(/*tls=*/true) {}
};
INSTANTIATE_TEST_SUITE_P(Login, TokensTls, ::testing::Values(rfc, spring), name_of);

TEST_P(TokensTls, a_login_whose_certificate_does_not_verify_is_told_nothing) {
  const auto refused = renewed();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("certificate"), std::string::npos) << refused.error();
  EXPECT_TRUE(server.token_requests().empty());
  auth::Credentials trusting = credentials;
  trusting.transport = std::make_shared<http::CurlTransport>(http::CurlOptions{.ca_pem = server.ca_pem()});
  EXPECT_TRUE(auth::refresh_token_source({.credentials = trusting, .store = store, .account = "test"})({}));
}

// ---- processes

class Process {
 public:
  explicit Process(std::vector<std::string> words) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, told_.c_str(), O_WRONLY | O_CREAT, 0600);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { static_cast<void>(kill_it()); }

  [[nodiscard]] bool has_ended() const {
    siginfo_t state{};
    return waitid(P_PID, static_cast<id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 && state.si_pid != 0;
  }
  int wait() {
    int state = 0;
    waitpid(std::exchange(pid_, -1), &state, 0);
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  }
  int kill_it() {
    if (pid_ <= 0) return 0;
    kill(pid_, SIGKILL);
    return wait();
  }
  /// The lines that it has written so far: hashes of the tokens that it had in its hands.
  [[nodiscard]] std::vector<std::string> told() const {
    std::ifstream lines(told_);
    std::vector<std::string> all;
    for (std::string line; std::getline(lines, line);) all.push_back(line);
    return all;
  }

 private:
  const TemporaryDirectory own_;
  const std::string told_ = own_ / "told";
  pid_t pid_ = -1;
};

class TokensOfProcesses : public TokensThreads {
 protected:
  /// Renews the account's token so often; 0: until it is killed.
  [[nodiscard]] std::vector<std::string> renewing(const std::string& account, int rounds) const {
    return {CONNECTID_TOKEN_REFRESHER, server.url(), server.login_url(),
            directory / "tokens",      account,      std::to_string(rounds)};
  }
  /// Whether the account can be renewed; else it says "log in again".
  [[nodiscard]] bool works(const std::string& account) const {
    const auto stored = store->load(account);
    EXPECT_TRUE(stored && *stored && !(*stored)->refresh_token.empty()) << "the store cannot be read";
    if (!stored || !*stored) return false;
    const auto token = source_of(account)({.refused = (*stored)->access_token});
    if (token) return true;
    const auto* detail = token.error().get_if<TokenError>();
    EXPECT_TRUE(detail && detail->log_in_again) << token.error();
    EXPECT_NE(token.error().message().find("log in again"), std::string::npos) << token.error();
    return false;
  }
  /// The hash of the access token that the next renewal finds; empty: the one that was imported had none.
  [[nodiscard]] std::string token_on_the_disk(const std::string& account) const {
    const auto lock = store->lock(account, {.deadline = std::chrono::steady_clock::now() + 10s});
    EXPECT_TRUE(lock) << lock.error();
    const auto stored = store->load(account);
    EXPECT_TRUE(stored && *stored) << "the store cannot be read";
    const bool has_token = stored && *stored && !(*stored)->access_token.empty();
    return has_token ? std::to_string(std::hash<std::string>{}((*stored)->access_token.reveal())) : std::string();
  }
  /// How often the authorization server has given this account tokens.
  [[nodiscard]] std::size_t given(const std::string& account) const {
    const auto requests = server.token_requests();
    return static_cast<std::size_t>(std::ranges::count_if(
        requests, [&](const auto& request) { return request.account == account && request.error.empty(); }));
  }
};
INSTANTIATE_TEST_SUITE_P(Login, TokensOfProcesses, ::testing::Values(rfc, spring, spring_with_rotation), name_of);

TEST_P(TokensOfProcesses, two_on_one_store_never_spend_the_same_refresh_token) {
  constexpr int rounds = 200;
  import("anna");
  {
    Process one(renewing("anna", rounds)), other(renewing("anna", rounds));
    EXPECT_EQ(one.wait(), 0);
    EXPECT_EQ(other.wait(), 0);
  }
  const auto requests = server.token_requests();
  std::cout << "2 processes, " << rounds << " rounds each: " << requests.size()
            << " refreshes, refresh tokens reused: " << server.reused_refresh_tokens() << '\n';
  EXPECT_EQ(server.reused_refresh_tokens(), 0U);
  EXPECT_TRUE(std::ranges::all_of(requests, [](const auto& request) { return request.error.empty(); }));
  EXPECT_GE(requests.size(), std::size_t{rounds});
  EXPECT_LE(requests.size(), std::size_t{2 * rounds});
  EXPECT_TRUE(source_of("anna")({}));
}

TEST_P(TokensOfProcesses,
       one_with_few_descriptors_renews_a_thousand_accounts_at_once_in_as_many_threads_as_it_has_workers) {
  constexpr std::size_t accounts = 1000 / CONNECTID_TEST_PATIENCE, workers = 8;
  for (std::size_t i = 0; i < accounts; ++i) import("customer-" + std::to_string(i));
  server.always_token_request(testing::delayed(5ms));
  Process process({CONNECTID_MANY_ACCOUNTS, server.url(), server.login_url(), directory / "tokens",
                   std::to_string(accounts), std::to_string(workers)});
  std::uint64_t in_flight = 0;
  EXPECT_TRUE(eventually([&] {
    in_flight = std::max(in_flight, server.token_gate().open_connections());
    return process.has_ended();
  }));
  EXPECT_EQ(process.wait(), 0);
  ASSERT_EQ(process.told().size(), 1U);
  std::istringstream line(process.told().at(0));
  double seconds = 0;
  std::size_t got = 0, threads = 0, descriptors = 0, kib = 0;
  ASSERT_TRUE(line >> got >> seconds >> threads >> descriptors >> kib);
  std::cout << accounts << " accounts that expire at once, " << workers << " workers, 1,024 descriptors: " << got
            << " renewed in " << seconds << " s; at most " << in_flight << " connections, " << threads << " threads, "
            << descriptors << " descriptors, " << kib
            << " KiB more; refresh tokens reused: " << server.reused_refresh_tokens() << '\n';
  EXPECT_LE(in_flight, workers) << "a connection carries one request at a time";
  EXPECT_LE(threads, workers + 1);
  EXPECT_LT(seconds, 20 * CONNECTID_TEST_PATIENCE) << "descriptors that run out, and are waited for, took 27 s";
  EXPECT_LE(descriptors, 100U);
  EXPECT_EQ(server.reused_refresh_tokens(), 0U);
}

TEST_P(TokensOfProcesses, one_that_is_killed_before_the_authorization_server_acts_leaves_an_account_that_works) {
  import("anna");
  server.next_token_request({.acts = false, .fault = {.end = testing::Fault::End::silence}});
  Process process(renewing("anna", 0));
  ASSERT_TRUE(eventually([&] { return server.token_requests().size() == 1; }));
  ASSERT_EQ(process.kill_it(), 128 + SIGKILL);
  EXPECT_TRUE(works("anna"));
}

TEST_P(
    TokensOfProcesses,
    one_that_is_killed_after_the_authorization_server_acted_and_before_the_response_must_log_in_again_if_it_rotates) {
  import("anna");
  server.next_token_request(testing::silent());
  Process process(renewing("anna", 0));
  ASSERT_TRUE(eventually([&] { return server.token_requests().size() == 1; }));
  ASSERT_EQ(process.kill_it(), 128 + SIGKILL);
  EXPECT_EQ(works("anna"), !GetParam().rotates);
}

/// An account for each, for what the dead had sent may still be on its way to the authorization server.
TEST_P(
    TokensOfProcesses,
    one_that_is_killed_at_any_moment_must_log_in_again_only_where_a_response_had_left_the_authorization_server_and_was_not_on_the_disk) {
  constexpr std::size_t kills = 200 / CONNECTID_TEST_PATIENCE;
  std::mt19937 random(seed());
  std::size_t lost = 0, on_the_wire = 0, kept_untold = 0;
  for (std::size_t i = 0; i < kills; ++i) {
    SCOPED_TRACE("round " + std::to_string(i));
    const std::string account = "customer-" + std::to_string(i);
    import(account);
    // Every other time the response takes long enough to be killed before it comes.
    server.always_token_request(i % 2 == 0 ? testing::delayed(2ms) : testing::Script());
    const auto enough = server.token_gate().exchanges() + 1 + random() % 4;
    Process process(renewing(account, 0));
    ASSERT_TRUE(eventually([&] { return server.token_gate().exchanges() >= enough || process.has_ended(); }));
    std::this_thread::sleep_for(random() % (4000 * CONNECTID_TEST_PATIENCE) * 1us);
    ASSERT_EQ(process.kill_it(), 128 + SIGKILL);

    const auto told = process.told();
    const std::string kept = token_on_the_disk(account);
    const bool told_of_it = kept.empty() || std::ranges::count(told, kept) > 0;
    if (told_of_it) ASSERT_EQ(kept, told.empty() ? "" : told.back()) << "a token that the process had is not kept";
    const std::size_t on_the_disk = told.size() + (told_of_it ? 0 : 1);
    const bool still_works = works(account);
    const std::size_t responses = given(account) - (still_works ? 1 : 0);
    ASSERT_GE(responses, on_the_disk);
    ASSERT_LE(responses, on_the_disk + 1);
    // No more is lost than what no order of steps can save, and that only where the old token was spent for it.
    ASSERT_EQ(still_works, !GetParam().rotates || responses == on_the_disk);
    lost += still_works ? 0 : 1;
    on_the_wire += responses - on_the_disk;
    kept_untold += on_the_disk - told.size();
  }
  std::cout << kills << " x kill -9 while renewing: the last response of the authorization server was not on the disk "
            << on_the_wire << " times, and on it before the process could tell " << kept_untold
            << " times; accounts that must log in again: " << lost << '\n';
  EXPECT_GT(on_the_wire + kept_untold, 0U) << "no kill came in the middle of a renewal";
}

}  // namespace
}  // namespace connectid
