#pragma once

#include <optional>
#include <string>

#include <connectid/testing/fake_server.hpp>

namespace connectid::inline v0::testing::detail {

/// A refusal in OAuth's words (RFC 6749 section 5.2).
struct OAuthError {
  int status = 400;
  std::string error = {};
  std::string description = {};  ///< names no value of the request: one could be a secret
  bool challenge = false;        ///< the client tried HTTP Basic, and is told so
};

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
  Client client = {};
  std::optional<OAuthError> error = {};  ///< why it is refused, whoever asks; the rest is then what could be read
};

/// Whether it goes to the token endpoint.
[[nodiscard]] bool asks_for_tokens(const ReceivedRequest& request);

/// Reads one by the rules of RFC 6749. Pure.
[[nodiscard]] GrantRequest read_grant_request(const ReceivedRequest& request);

}  // namespace connectid::inline v0::testing::detail
