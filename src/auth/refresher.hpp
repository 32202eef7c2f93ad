#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>

#include <connectid/auth/credentials.hpp>
#include <connectid/auth/oauth_sources.hpp>
#include <connectid/auth/token_store.hpp>
#include <connectid/error.hpp>
#include <connectid/result.hpp>

#include "call/retry.hpp"

namespace connectid::inline v0::detail {

/// Why there is no new token, and how soon it is worth another try.
struct NotRenewed {
  Error error;
  std::chrono::milliseconds pause = {};  ///< so long at least
  bool backs_off = true;                 ///< and the longer, the more often it failed
};

/// What a new access token is asked for with.
enum class Grant {
  refresh_token,  ///< the customer's, out of the store
  client_credentials,
};

/// Renews the token of one account in its store. All that is between the store and the authorization server is here;
/// when it is renewed, and who waits for it, is not. One call at a time.
class Refresher {
 public:
  Refresher(Grant grant, auth::SourceOptions&& options);
  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;
  /// Tries once more to save what the store has not taken.
  ~Refresher();

  /// Whether it can ever renew.
  [[nodiscard]] const Result<void>& usable() const noexcept { return usable_; }
  /// Whether its tokens may go to that API.
  [[nodiscard]] Result<void> check_api(std::string_view api_url) const;

  /// Another token than `worn_out`: the one that somebody else has put into the store meanwhile, or a new one of the
  /// authorization server's, which then stands in the store. Blocks for the store's lock and then for the authorization
  /// server, for the renewal's timeout at most each. `leaving` ends the wait for the lock, a request for client
  /// credentials, and the tries to save; a refresh goes on to its end. May throw what a store throws.
  [[nodiscard]] std::variant<auth::StoredToken, NotRenewed> renew(const Secret& worn_out, Timestamp now,
                                                                  const std::stop_token& leaving);

 private:
  /// A token that the authorization server has given and the store has not taken.
  struct Unsaved {
    Secret spent;  ///< the refresh token that it was got for
    auth::StoredToken token;
  };
  using Renewed = std::variant<auth::StoredToken, NotRenewed>;
  struct Patience {
    std::chrono::steady_clock::time_point deadline;
    const std::stop_token& leaving;
  };

  Renewed load_own();
  Renewed renew_locked(const Secret& worn_out, Timestamp now, const Patience& patience);
  Renewed ask(const auth::StoredToken& stored, Timestamp now, const Patience& patience);
  Renewed keep(auth::StoredToken token, const Secret& spent, const Patience& patience);
  Renewed save_unsaved(const Patience& patience);
  Result<void> save(const auth::StoredToken& token);
  void save_at_the_end();
  Result<void> check_own(const auth::StoredToken& stored) const;

  const Grant grant_;
  auth::Credentials credentials_;
  std::shared_ptr<auth::TokenStore> store_;
  std::string account_;
  auth::Renewal renewal_;
  std::string api_url_, login_url_;  ///< in their normal form
  Result<void> usable_;
  RetryBudget budget_;
  std::optional<Unsaved> unsaved_;
  Secret
      maybe_spent_;  ///< the refresh token that the authorization server may have replaced in a response that was lost
  Secret dead_refresh_token_;  ///< the authorization server does not take it any more
  std::optional<Error> death_;
};

}  // namespace connectid::inline v0::detail
