#pragma once

#include <string>

#include <connectid/testing/fake_server.hpp>

#include "testing/routes/grant_request.hpp"

namespace connectid::inline v0::testing::detail {

/// What a client sent in place of a good code or a good refresh token.
enum class Refused { code, unknown, replaced, revoked, expired };

/// What sets one kind of authorization server apart from another.
struct Rules {
  bool rotates;                           ///< a refresh gives a new refresh token, and the old one is spent
  bool existing_tokens_are_given_again;   ///< to whoever has an access token that lives
  bool a_refresh_ends_the_access_token;   ///< that the same refresh token gave before
  bool refresh_token_is_always_told;      ///< also the one that was sent
  bool a_second_use_revokes_all_it_gave;  ///< of a code, or of a refresh token that was replaced
  bool expires_in_is_rounded_up;          ///< else down
  OAuthError (*error)(Refused why, const std::string& value);
};

[[nodiscard]] Rules rules_of(const FakeServerOptions& options);

}  // namespace connectid::inline v0::testing::detail
