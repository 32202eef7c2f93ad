// Squid as the proxy on the way to the API: CONNECT, with a user and a password.
#include <connectid/testing/fake_server.hpp>

#include <iostream>

#include "support/peer.hpp"
#include "support/peer_calls.hpp"

namespace connectid::peers {
namespace {

using faults::outcome_of;
using faults::valid_request;

constexpr const char* helper = "/usr/lib/squid/basic_ncsa_auth";  // Debian's, always there
constexpr const char* password = "right-canary-password";
constexpr const char* wrong_password = "wrong-canary-password";

/// Lets whoever knows the password through to every port but one.
Recipe squid(std::uint16_t forbidden_port) {
  return {.program = "squid",
          // Its shared memory has the service's name, by which several run beside each other.
          .arguments = {"-N", "-n", "connectid@PORT@", "-f", "@DIRECTORY@/squid.conf"},
          .files = {{"squid.conf", R"(
http_port 127.0.0.1:@PORT@
pid_filename none
cache_log @DIRECTORY@/cache.log
access_log stdio:@DIRECTORY@/access.log
cache deny all
pinger_enable off
netdb_filename none
coredump_dir none
max_filedescriptors 1024
shutdown_lifetime 0 seconds
auth_param basic program )" + std::string(helper) +
                                       R"( @DIRECTORY@/passwords
auth_param basic children 1 startup=1
acl known proxy_auth REQUIRED
acl forbidden port )" + std::to_string(forbidden_port) +
                                       R"(
http_access deny forbidden
http_access allow CONNECT known
http_access deny all
)"},
                    // openssl passwd -apr1 -salt peers123
                    {"passwords", "user:$apr1$peers123$z1sT6aAjitRE5ha1QYGjP1\n"}},
          .user = "proxy"};
}

class Squid : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!path_of("squid")) GTEST_SKIP() << "squid is not installed (Debian's package: squid)";
    if (access(helper, X_OK) != 0) GTEST_SKIP() << helper << " is not there (Debian's package: squid)";
    proxy.emplace(squid(forbidden.gate().port()));
  }

  [[nodiscard]] Result<StartSubscriptionResponse> start(const testing::FakeServer& at,
                                                        const std::string& secret) const {
    return client_of(at.url(),
                     {.ca_pem = at.ca_pem(),
                      .proxy = "http://user:" + secret + "@127.0.0.1:" + std::to_string(proxy->port())},
                     {})
        .start(valid_request);
  }
  /// What holds for every start that the proxy does not let through, for good.
  void expect_denied(const Result<StartSubscriptionResponse>& result, const std::string& status) const {
    ASSERT_FALSE(result);
    const auto* why = result.error().get_if<TransportError>();
    ASSERT_NE(why, nullptr) << result.error();
    std::cout << "  " << outcome_of(result) << " / " << to_string(why->cause) << " after "
              << result.error().call().attempts << " attempts: " << result.error().message() << '\n';
    EXPECT_EQ(outcome_of(result), "not_sent");
    EXPECT_EQ(why->cause, Cause::proxy_denied);
    EXPECT_EQ(why->stage, Stage::connect);
    EXPECT_EQ(result.error().call().attempts, 1);
    EXPECT_NE(result.error().message().find(status), std::string::npos) << result.error();
    EXPECT_EQ(result.error().message().find("canary"), std::string::npos) << "the message shows the password";
    EXPECT_EQ(server.bodies_received() + forbidden.bodies_received(), 0U);
  }

  testing::FakeServer server{testing::FakeServerOptions{.tls = true}};
  testing::FakeServer forbidden{testing::FakeServerOptions{.tls = true}};  // where the proxy lets nobody through
  std::optional<Peer> proxy;
};

TEST_F(Squid, lets_a_start_through_with_the_right_password) {
  const auto result = start(server, password);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->call.attempts, 1);
  EXPECT_EQ(server.started().size(), 1U);
}

TEST_F(Squid, lets_200_starts_through_and_knows_one_connection) {
  const auto client = client_of(
      server.url(), {.ca_pem = server.ca_pem(),
                     .proxy = "http://user:" + std::string(password) + "@127.0.0.1:" + std::to_string(proxy->port())});
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(client.start(valid_request));
  EXPECT_EQ(server.started().size(), 200U);
  EXPECT_EQ(server.gate().connections(), 1U);
}

TEST_F(Squid, refuses_a_wrong_password_with_407_and_nothing_is_sent) {
  expect_denied(start(server, wrong_password), "407");
}

TEST_F(Squid, sends_403_where_it_lets_nobody_through_and_nothing_is_sent) {
  expect_denied(start(forbidden, password), "403");
}

}  // namespace
}  // namespace connectid::peers
