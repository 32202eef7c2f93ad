#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include <connectid/auth/credentials.hpp>
#include <connectid/auth/oauth_sources.hpp>
#include <connectid/error.hpp>

#include "auth/token_response.hpp"
#include "call/retry.hpp"

namespace connectid::inline v0::detail {

/// Where tokens are asked for: `{login}/oauth/token`. The login URL must be one that can be used.
[[nodiscard]] std::string token_url(const Environment& environment);

/// What is sent. Pure. `refresh_token` is empty for client credentials.
[[nodiscard]] http::Request token_request(const auth::Credentials& credentials, const Secret& refresh_token,
                                          const std::string& call_id);

/// Whether the customer has to log in again.
[[nodiscard]] bool needs_login(const Error& error) noexcept;

/// Whether somebody can be asked for tokens with these: a token_error says why not.
[[nodiscard]] Result<void> check(const auth::Credentials& credentials);

/// What is asked of the authorization server. All that it refers to lives as long as the request.
struct TokenEndpointRequest {
  const auth::Credentials& credentials;  ///< with a transport
  const Secret& refresh_token;           ///< empty for client credentials
  bool response_was_lost = false;        ///< of a request before, with the same refresh token
  const RetryPolicy& retry;
  std::chrono::milliseconds timeout;  ///< of the whole
  RetryBudget& budget;
  std::stop_token stop = {};
};

/// What the authorization server said. With an error, the response may still hold a new refresh token.
struct TokenEndpointResult {
  TokenResponse response = {};
  std::optional<Error> error = {};  ///< none: the response can be used
  bool response_was_lost = false;   ///< the authorization server may have acted, and nobody knows what it said
  std::chrono::milliseconds named_pause =
      {};  ///< that the authorization server asked for, no longer than the policy allows
};

/// Asks for tokens and blocks until they came, until it is known that none will, or for the timeout.
[[nodiscard]] TokenEndpointResult ask_token_endpoint(const TokenEndpointRequest& asked);

}  // namespace connectid::inline v0::detail
