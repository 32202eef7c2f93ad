#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <connectid/auth/credentials.hpp>
#include <connectid/auth/token_source.hpp>
#include <connectid/auth/token_store.hpp>
#include <connectid/error.hpp>
#include <connectid/export.hpp>
#include <connectid/options.hpp>
#include <connectid/timestamp.hpp>

namespace connectid::inline v0::auth {

/// When and how an access token is renewed. Fill it with designated initialisers.
struct Renewal {
  /// Begun so long before the token expires, less a random part of up to a half; where a fifth of the token's life is
  /// less, that. Zero: only once it has expired.
  std::chrono::milliseconds ahead{300'000};
  /// The longest wait for the store's lock, and again for the authorization server, repeats included. At most an hour.
  std::chrono::milliseconds timeout{30'000};
  /// How a request to the authorization server is repeated. One that asks for client credentials is safe to repeat; a
  /// refresh that may have acted is sent once more, and where that response was lost, too, once with each later
  /// renewal. `max_attempts = 1`: once with each renewal.
  RetryPolicy retry_policy = {};
};

/// What an operator may want to know of the renewals.
struct TokenEvent {
  /// What happened.
  enum class Kind {
    renewed,       ///< there is a new token, which expires at `until`; another process may have asked for it
    put_off,       ///< a renewal failed; the next one begins at `until` or later
    log_in_again,  ///< the customer must log in again; told once, until there is a token again
    lost,          ///< a new refresh token could not be kept when its Accounts ended: the customer must log in again
  };
  Kind kind = Kind::renewed;                   ///< what happened
  std::string account = {};                    ///< to whose token
  std::optional<Timestamp> until = {};         ///< see Kind
  std::optional<connectid::Error> error = {};  ///< why; none: `renewed`
};

/// Takes an event. It is called from the threads that renew, several at once, and holds up a renewal while it runs;
/// what it throws is ignored. It must neither end the Accounts nor wait for one of its tokens.
using TokenEventHandler = std::function<void(const TokenEvent&)>;

/// How an Accounts works. Fill it with designated initialisers.
struct AccountsOptions {
  int workers = 8;                  ///< so many renewals at a time, each in a thread; at least 1
  std::size_t remembered = 50'000;  ///< so many accounts that no source is held of keep their tokens in memory
  Renewal renewal = {};             ///< when and how each is renewed
  TokenEventHandler on_event = {};  ///< none: nobody is told
};

/// Access tokens of many customers: each kept in the store, renewed before it expires and when the API refuses it, with
/// the refresh token that `import_refresh_token` has put there (RFC 6749 section 6). The guide: docs/oauth.md.
///
///     auth::Accounts accounts(credentials, store, {.workers = 8});
///     client.start(order, {.token_source = accounts.source("anna")});
///
/// One renewal at a time for each account: whoever needs its token waits, until the deadline or the stop of their own.
/// While the old token lives nobody waits, and a renewal that fails fails no call. Renewals run in workers, so that
/// none ends with the call that began it, and threads do not grow with accounts.
///
/// After a failure the next renewal is put off, by a second first and by a minute at last; calls that need it meanwhile
/// fail with the same error, which says until when. An authorization server that named a longer pause with 429 is given
/// that, up to `RetryPolicy::longest_named_pause`. A refresh token that was refused (`invalid_grant`, `invalid_token`)
/// is not sent again: `TokenError::log_in_again` says that the customer must log in again, and once the store holds
/// another one, that is used.
///
/// Its end waits for the renewals that are under way, for a refresh token that the authorization server just replaced
/// must not be lost: for the authorization server `Renewal::timeout` at the longest, and for the store. Those that wait
/// for a worker end at once, `cancelled`. Its sources may outlive it: they give the token that they have while it
/// lives, and no other. Thread-safe, but for a move and its end; it must not end in a function of the store, of a
/// handler or of `client_secret_from`.
class CONNECTID_API Accounts {
 public:
  /// There must be a store: the authorization server replaces refresh tokens, and the new one exists only there. What
  /// cannot be used is the `token_error` of every call.
  Accounts(Credentials credentials, std::shared_ptr<TokenStore> store, const AccountsOptions& options = {});
  Accounts(Accounts&&) noexcept;             ///< what was moved from can only end
  Accounts& operator=(Accounts&&) noexcept;  ///< the same; ends what was there
  ~Accounts();

  /// The tokens of this account. Cheap to make for each call and to drop: never blocks.
  [[nodiscard]] TokenSource source(const std::string& account) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace connectid::inline v0::auth
