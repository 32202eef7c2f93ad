#pragma once

#include <string>
#include <string_view>

#include <connectid/testing/fake_server.hpp>

namespace connectid::inline v0::testing::detail {

/// What a request for an authorization code says (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
struct AuthorizationRequest {
  std::string client_id = {};
  std::string redirect_uri = {};
  std::string state = {};
  std::string code_challenge = {};
  std::string error = {};  ///< why it is refused, whoever asks; empty: it is not
};

/// Of what says not clearly whose it is, the client and the redirect URI are empty. Pure.
[[nodiscard]] AuthorizationRequest read_authorization_request(const ReceivedRequest& request);

/// Back to whoever asked, with one parameter more and the state.
[[nodiscard]] Script::HttpResponse redirect(const AuthorizationRequest& asked, std::string_view name,
                                            std::string_view value);

/// Whether this `code_verifier` belongs to that `code_challenge`, none to none (RFC 7636 section 4.6; RFC 9700 section
/// 2.1.1).
[[nodiscard]] bool proves(const std::string& code_verifier, const std::string& code_challenge);

}  // namespace connectid::inline v0::testing::detail
