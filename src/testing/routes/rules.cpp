#include "testing/routes/rules.hpp"

namespace connectid::inline v0::testing::detail {
namespace {

/// RFC 6749 section 5.2. Names no value of the request: it could be a secret.
OAuthError error_by_rfc(Refused why, const std::string&) {
  const auto description = [why] {
    switch (why) {
      case Refused::code:
        return "The code is unknown, used or expired, or its redirect_uri or code_verifier is another";
      case Refused::replaced:
        return "The refresh token was replaced before";
      case Refused::revoked:
        return "The refresh token was revoked";
      case Refused::expired:
        return "The refresh token has expired";
      default:
        return "The refresh token is unknown";
    }
  };
  return {400, "invalid_grant", description()};
}

/// Spring's texts until 2.5.1, with the value in them (its commit e96d2c73, "Polish logs", took it out). What is
/// expired is an InvalidTokenException in DefaultTokenServices.refreshAccessToken, and what is unknown is one where the
/// tokens are JSON Web Tokens (JwtTokenStore.readRefreshToken): 401. With its other stores the unknown is an
/// InvalidGrantException, 400. What was replaced or revoked is gone from the store, so it is unknown. The challenge is
/// that of DefaultWebResponseExceptionTranslator, which repeats the text there.
OAuthError error_by_spring(Refused why, const std::string& value) {
  if (why == Refused::code) return {400, "invalid_grant", "Invalid authorization code: " + value};
  std::string description = why == Refused::expired ? "Invalid refresh token (expired): " : "Invalid refresh token: ";
  description += value;
  std::string challenge = R"(Bearer realm="oauth2/client", error="invalid_token", error_description=")";
  challenge.append(description).append("\"");
  return {401, "invalid_token", std::move(description), std::move(challenge)};
}

constexpr Rules rfc{.rotates = true,
                    .existing_tokens_are_given_again = false,
                    .a_refresh_ends_the_access_token = false,
                    .refresh_token_is_always_told = false,
                    .a_second_use_revokes_all_it_gave = true,
                    .expires_in_is_rounded_up = true,
                    .error = error_by_rfc};

/// DefaultTokenServices with its own settings; its access tokens tell `expires_in` in
/// OAuth2AccessTokenJackson2Serializer.
constexpr Rules spring{.rotates = false,
                       .existing_tokens_are_given_again = true,
                       .a_refresh_ends_the_access_token = true,
                       .refresh_token_is_always_told = true,
                       .a_second_use_revokes_all_it_gave = false,
                       .expires_in_is_rounded_up = false,
                       .error = error_by_spring};

}  // namespace

Rules rules_of(const FakeServerOptions& options) {
  Rules rules = options.authorization_server == AuthorizationServer::spring ? spring : rfc;
  rules.rotates = options.rotate_refresh_tokens.value_or(rules.rotates);
  return rules;
}

}  // namespace connectid::inline v0::testing::detail
