#pragma once

#include <optional>
#include <string>

#include <connectid/testing/fake_server.hpp>

namespace connectid::inline v0::testing::detail {

/// A refusal in OAuth's words (RFC 6749 section 5.2).
struct OAuthError {
  int status = 400;
  std::string error = {};
  std::string description = {};
  std::string challenge = {};  ///< the WWW-Authenticate; empty: none
};

/// For a client that tried HTTP Basic.
inline constexpr const char* basic_challenge = R"(Basic realm="connectid")";

/// Who asks for tokens, and how they prove it.
struct Client {
  std::string id = {};
  std::string secret = {};
  bool basic = false;  ///< by HTTP Basic, else in the form
};

/// What a request for tokens says.
struct GrantRequest {
  std::string grant_type = {};
  std::string refresh_token = {};
  std::string code = {};
  std::string redirect_uri = {};
  std::string code_verifier = {};
  Client client = {};
  std::optional<OAuthError> error = {};  ///< why it is refused, whoever asks; the rest is then what could be read
};

/// Reads one by the rules of RFC 6749. Pure.
[[nodiscard]] GrantRequest read_grant_request(const ReceivedRequest& request);

}  // namespace connectid::inline v0::testing::detail
