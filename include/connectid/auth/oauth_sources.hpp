#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include <connectid/auth/accounts.hpp>
#include <connectid/auth/credentials.hpp>
#include <connectid/auth/token_source.hpp>
#include <connectid/auth/token_store.hpp>
#include <connectid/export.hpp>
#include <connectid/result.hpp>

namespace connectid::inline v0::auth {

/// What a source of access tokens for one account is made of. Fill it with designated initialisers.
struct SourceOptions {
  Credentials credentials = {};                 ///< who asks, and where
  std::shared_ptr<TokenStore> store = nullptr;  ///< where the token is kept; none: in memory
  std::string account = {};                     ///< under which name; client credentials: empty is the `client_id`
  Renewal renewal = {};                         ///< when and how it is renewed
  TokenEventHandler on_event = {};              ///< none: nobody is told
};

/// The client's own access token, for the client API: renewed as `Accounts` renews tokens, with the client's id and
/// secret (RFC 6749 section 4.4). It is an Accounts of its own, with one worker: when the last copy of the source
/// goes, that waits as the end of an Accounts does.
///
/// Thread-safe. It does not throw; what cannot be used is the `token_error` of every call.
[[nodiscard]] CONNECTID_API TokenSource client_credentials_source(SourceOptions options);

/// The same for one customer, with their refresh token. There must be a store. For several customers use `Accounts`.
[[nodiscard]] CONNECTID_API TokenSource refresh_token_source(SourceOptions options);

/// What an import does with an account that the store has already.
enum class IfKept {
  replace,  ///< its tokens are forgotten
  refuse,   ///< an error, unless it has to log in again
};

/// Puts a customer's refresh token into the store, for an `Accounts` or a `refresh_token_source` with the same
/// credentials. Waits a minute at most for a renewal that is under way, or until a stop is requested. What the store
/// throws is an Error.
[[nodiscard]] CONNECTID_API Result<void> import_refresh_token(TokenStore& store, const Credentials& credentials,
                                                              const std::string& account, Secret refresh_token,
                                                              std::stop_token stop = {},
                                                              IfKept if_kept = IfKept::replace);

}  // namespace connectid::inline v0::auth
