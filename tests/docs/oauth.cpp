// What docs/oauth.md shows and says, run.
#include <connectid/connectid.hpp>
#include <connectid/testing/fake_server.hpp>

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "support/documented_example.hpp"
#include "support/temporary_directory.hpp"

namespace {

using connectid::documented_example;
using connectid::testing::FakeServer;

class OAuthPage : public testing::Test {
 protected:
  FakeServer server;
  const connectid::Environment environment = server.environment();
  const connectid::StartSubscriptionRequest& order = documented_example;
  const connectid::TemporaryDirectory directory;
  const std::string client_id = "test-client";
  const connectid::Secret client_secret = "test-secret";
};

TEST_F(OAuthPage, a_client_with_its_own_credentials) {
  // docs: client credentials
  const connectid::SubscriptionClient client({
      .environment = environment,
      .token_source = connectid::auth::client_credentials_source({
          .credentials = {.environment = environment, .client_id = client_id, .client_secret = client_secret},
      }),
  });
  // docs: end
  ASSERT_TRUE(client.start(order));
  ASSERT_TRUE(client.start(order));
  EXPECT_EQ(server.token_requests().size(), 1U);
}

TEST_F(OAuthPage, many_customers_on_the_same_connections) {
  const std::map<std::string, std::string> logins{{"anna", server.log_in("anna")}, {"kari", server.log_in("kari")}};
  // docs: customers
  const auto store = std::make_shared<connectid::auth::FileTokenStore>(directory / "tokens");
  const connectid::auth::Credentials credentials{
      .environment = environment,
      .client_id = client_id,
      .client_secret = client_secret,
  };
  // Once for each customer, with the refresh token that their login gave:
  for (const auto& [account, refresh_token] : logins) {
    const auto kept = connectid::auth::import_refresh_token(*store, credentials, account, refresh_token);
    if (!kept) std::cerr << account << ": " << kept.error() << '\n';
  }

  const connectid::SubscriptionClient client({.environment = environment});
  const connectid::auth::Accounts accounts(credentials, store, {.workers = 8});

  const auto for_anna = client.start(order, {.token_source = accounts.source("anna")});  // for one call
  const auto for_kari = client.with(accounts.source("kari")).start(order);               // a handle for many
  // docs: end
  ASSERT_TRUE(for_anna) << for_anna.error();
  ASSERT_TRUE(for_kari) << for_kari.error();
  ASSERT_EQ(server.started().size(), 2U);
  EXPECT_EQ(server.started()[0].account, "anna");
  EXPECT_EQ(server.started()[1].account, "kari");
}

TEST_F(OAuthPage, what_operators_are_told_and_a_secret_from_a_vault) {
  const auto store = std::make_shared<connectid::auth::MemoryTokenStore>();
  connectid::auth::Credentials credentials{.environment = environment, .client_id = client_id};
  ASSERT_TRUE(connectid::auth::import_refresh_token(*store, credentials, "anna", server.log_in("anna")));
  std::ostringstream log;
  const auto read_from_the_vault = [&](const char*) -> connectid::Result<connectid::Secret> { return client_secret; };
  {
    // docs: operators
    credentials.client_secret_from = [&] { return read_from_the_vault("connectid"); };
    const connectid::auth::Accounts accounts(credentials, store,
                                             {.on_event = [&](const connectid::auth::TokenEvent& event) {
                                               using Kind = connectid::auth::TokenEvent::Kind;
                                               if (event.kind == Kind::log_in_again || event.kind == Kind::lost)
                                                 log << event.account << " must log in again: ";
                                               if (event.error) log << *event.error << '\n';
                                             }});
    // docs: end
    EXPECT_TRUE(accounts.source("anna")({}));
    server.revoke("anna");
    EXPECT_FALSE(accounts.source("anna")({.refused = accounts.source("anna").cached()->value}));
  }
  EXPECT_EQ(log.str().find("anna must log in again: token_error: "), 0U) << log.str();
}

TEST_F(OAuthPage, what_a_renewal_that_failed_says) {
  const auto store = std::make_shared<connectid::auth::MemoryTokenStore>();
  const connectid::auth::Credentials credentials{
      .environment = environment, .client_id = client_id, .client_secret = client_secret};
  ASSERT_TRUE(connectid::auth::import_refresh_token(*store, credentials, "anna", server.log_in("anna")));
  server.revoke("anna");
  const connectid::SubscriptionClient client({.environment = environment,
                                              .token_source = connectid::auth::refresh_token_source(
                                                  {.credentials = credentials, .store = store, .account = "anna"})});
  std::string next_step;
  // docs: errors
  const auto result = client.start(order);
  if (!result) {
    const connectid::Error& error = result.error();
    const auto* no_token = error.token_error();  // of kind token_error, or why a refused one could not be renewed
    if (no_token && no_token->temporary)
      next_step = "try again later";
    else if (error.kind() == connectid::ErrorKind::unauthorized || (no_token && no_token->log_in_again))
      next_step = "send the customer to the log-in page";
    else if (no_token)
      next_step = "tell the operator: " + error.message();
  }
  // docs: end
  EXPECT_EQ(next_step, "send the customer to the log-in page");
}

TEST_F(OAuthPage, a_source_of_ones_own) {
  const auto my_token = [](const std::string&) { return std::string("test-token"); };
  // docs: own source
  const connectid::TokenSource source =
      [&](const connectid::TokenRequest& request) -> connectid::Result<connectid::AccessToken> {
    if (!request.refused.empty()) {
      return connectid::token_error("the token of our session was refused", {.log_in_again = true});
    }
    return connectid::AccessToken{my_token("anna")};
  };
  // docs: end
  const connectid::SubscriptionClient client({.environment = environment, .token_source = source});
  EXPECT_TRUE(client.start(order));
  server.expire_access_tokens();
  const auto refused = client.start(order);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), connectid::ErrorKind::unauthorized);
}

}  // namespace
