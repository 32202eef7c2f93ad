// Tokens that no message may show, for the tests of token stores.
#pragma once

#include <connectid/auth/token_store.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace connectid::auth {

using namespace std::chrono_literals;

inline StoredToken canary_token(const std::string& mark) {
  return {.access_token = "canary-access-" + mark,
          .obtained_at = Timestamp{1775012407123ms},
          .expires_at = Timestamp{1775055607123ms},
          .refresh_token = "canary-refresh-" + mark,
          .api_url = "https://api.test/capi",
          .login_url = "https://login.test/user",
          .client_id = "shop"};
}

inline bool equal(const StoredToken& a, const StoredToken& b) {
  return a.access_token == b.access_token && a.obtained_at == b.obtained_at && a.expires_at == b.expires_at &&
         a.refresh_token == b.refresh_token && a.api_url == b.api_url && a.login_url == b.login_url &&
         a.client_id == b.client_id && a.refused == b.refused;
}

/// The access token that is kept of the account, `none`, or the error.
inline std::string kept(TokenStore& store, const std::string& account) {
  const auto loaded = store.load(account);
  if (!loaded) return loaded.error().message();
  return *loaded ? (*loaded)->access_token.reveal() : "none";
}

/// What the tests require of every error.
inline void expect_fit_to_be_shown(const Error& error) {
  EXPECT_EQ(error.outcome(), Outcome::not_sent);
  EXPECT_THAT(error.message(), ::testing::Not(::testing::HasSubstr("canary")));
  EXPECT_EQ(error.message().find('\n'), std::string::npos) << error.message();
}

}  // namespace connectid::auth
