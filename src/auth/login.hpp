#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include <connectid/auth/credentials.hpp>
#include <connectid/error.hpp>
#include <connectid/refreshing_token.hpp>

#include "retry.hpp"
#include "wire/token.hpp"

namespace connectid::inline v0::auth {

/// An error without an access token: `message` is one line without secrets.
[[nodiscard]] Error no_token(const std::string& message, TokenError detail = {});

/// Where tokens are asked for: `{login}/oauth/token`. The login URL must be one that can be used.
[[nodiscard]] std::string token_url(const Environment& environment);

/// What is sent. Pure. `refresh_token` is empty for client credentials.
[[nodiscard]] http::Request token_request(const Credentials& credentials, const Secret& refresh_token,
                                          const std::string& call_id);

/// What the login said. With an error, the answer may still hold a new refresh token.
struct LoginReply {
  wire::TokenAnswer answer = {};
  std::optional<Error> error = {};                            ///< none: the answer can be used
  std::optional<std::chrono::milliseconds> named_pause = {};  ///< that the login asked for
};

/// Asks for tokens and blocks until they came, until it is known that none will, or for `timeout`. The credentials have
/// a transport.
[[nodiscard]] LoginReply ask_login(const Credentials& credentials, const Secret& refresh_token,
                                   const RetryPolicy& retry, std::chrono::milliseconds timeout,
                                   detail::RetryBudget& budget, const std::stop_token& stop);

}  // namespace connectid::inline v0::auth
