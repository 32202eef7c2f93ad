#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include <connectid/auth/credentials.hpp>
#include <connectid/auth/token_source.hpp>
#include <connectid/auth/token_store.hpp>
#include <connectid/export.hpp>
#include <connectid/options.hpp>
#include <connectid/result.hpp>

namespace connectid::inline v0::auth {

/// When and how an access token is renewed. Fill it with designated initialisers.
struct Renewal {
  /// Begun so long before the token expires, less a random part of up to a half; where a fifth of the token's life is
  /// less, that. Zero: only once it has expired.
  std::chrono::milliseconds ahead{300'000};
  /// So long the store's lock is waited for, and so long again the authorization server, repeats included.
  std::chrono::milliseconds timeout{30'000};
  /// How a request to the authorization server is repeated. One that asks for client credentials is safe to repeat; a
  /// refresh that may have acted is sent once more, and where that response was lost, too, once with each later
  /// renewal. `max_attempts = 1`: once with each renewal.
  RetryPolicy retry_policy = {};
};

/// What a source of access tokens is made of. Fill it with designated initialisers.
struct SourceOptions {
  Credentials credentials = {};                 ///< who asks, and where
  std::shared_ptr<TokenStore> store = nullptr;  ///< where the token is kept; none: in memory
  std::string account = {};                     ///< under which name; client credentials: empty is the `client_id`
  Renewal renewal = {};                         ///< when and how it is renewed
};

/// An access token that is always there: kept in the store, renewed before it expires and when the API refuses it.
/// Asked for with the client's own id and secret, for the client API (RFC 6749 section 4.4). The guide: docs/oauth.md.
///
/// One renewal at a time: whoever needs its token waits, until the deadline or the stop of their own. While the old
/// token lives nobody waits, and a renewal that fails fails no call. A renewal runs in a thread of its own, so that it
/// does not end with the call that began it; when the last copy of the source goes, that waits for a renewal that is
/// under way (`Renewal::timeout` at the longest, and a second more where the store did not take what came), for a
/// refresh token that the authorization server just replaced must not be lost. So keep a source as long as there are
/// calls, and let its last copy go where a wait does no harm: never in a function of the store.
///
/// After a failure the next renewal is put off, by a second first and by a minute at last; calls that need it meanwhile
/// fail with the same error. An authorization server that named a longer pause with 429 is given that, up to
/// `RetryPolicy::longest_named_pause`.
///
/// Thread-safe. It does not throw; what cannot be used is the `token_error` of every call.
[[nodiscard]] CONNECTID_API TokenSource client_credentials_source(SourceOptions options);

/// The same, with a customer's refresh token, which `import_refresh_token` has put into the store (RFC 6749 section 6).
/// There must be a store: the authorization server replaces the refresh token, and the new one exists only there. One
/// that was refused (`invalid_grant`) is not sent again: `TokenError::log_in_again` says that the customer must log in
/// again, and once the store holds another refresh token, that one is used.
[[nodiscard]] CONNECTID_API TokenSource refresh_token_source(SourceOptions options);

/// Puts a customer's refresh token into the store, for a `refresh_token_source` with the same credentials and account.
/// What the store had of the account is replaced. Waits a minute at most for a renewal that is under way, or until a
/// stop is requested. What the store throws is an Error.
[[nodiscard]] CONNECTID_API Result<void> import_refresh_token(TokenStore& store, const Credentials& credentials,
                                                              const std::string& account, Secret refresh_token,
                                                              std::stop_token stop = {});

}  // namespace connectid::inline v0::auth
