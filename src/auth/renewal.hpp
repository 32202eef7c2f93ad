#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

#include <connectid/auth/accounts.hpp>
#include <connectid/auth/credentials.hpp>
#include <connectid/auth/token_store.hpp>
#include <connectid/error.hpp>
#include <connectid/result.hpp>

#include "call/retry.hpp"

namespace connectid::inline v0::detail {

/// What a new access token is asked for with.
enum class Grant {
  refresh_token,  ///< the customer's, out of the store
  client_credentials,
};

/// Why there is no new token, and how soon it is worth another try.
struct NotRenewed {
  Error error;
  std::chrono::milliseconds pause = {};  ///< so long at least
  bool backs_off = true;                 ///< and the longer, the more often it failed
};
using Renewed = std::variant<auth::StoredToken, NotRenewed>;

/// The response to a refresh was lost: the authorization server may have replaced this refresh token.
struct Lost {
  Secret refresh_token;
};
/// The authorization server does not take this refresh token any more.
struct Refused {
  Secret refresh_token;
  Error error;
};
/// The authorization server has given a token that the store has not taken.
struct Unsaved {
  Secret spent;  ///< the refresh token that it was got for
  auth::StoredToken token;
  auth::TokenStore::Lock lock;  ///< still held: whoever had it next would spend that token again
};
/// What the last renewal of an account leaves to the next one.
using Standing = std::variant<std::monostate, Lost, Refused, Unsaved>;

/// Renews the tokens of accounts, each by one call at a time; when a token is renewed, and who waits for it, is not
/// here. Thread-safe.
class Renewer {
 public:
  Renewer() = default;
  Renewer(const Renewer&) = delete;
  Renewer& operator=(const Renewer&) = delete;
  virtual ~Renewer() = default;

  /// Whether it can ever renew, and whether the account's tokens may go to that API.
  [[nodiscard]] virtual Result<void> check(const std::string& account, std::string_view api_url) const = 0;
  /// Another token than `worn_out`. `leaving` ends every wait but the one for what has been sent. May throw.
  [[nodiscard]] virtual Renewed renew(const std::string& account, Standing& standing, const Secret& worn_out,
                                      Timestamp now, const std::stop_token& leaving) = 0;
  /// Tries once more to save what has not been saved; else says why it is lost.
  [[nodiscard]] virtual std::optional<Error> save_at_the_end(const std::string& account, Standing& standing) = 0;
};

/// Between a store and an authorization server: the new token is the one that somebody else has put into the store
/// meanwhile, or one of the authorization server's, which then stands in the store. Blocks for the store's lock and
/// then for the authorization server, for the renewal's timeout at most each.
class StoreRenewer final : public Renewer {
 public:
  StoreRenewer(Grant grant, auth::Credentials credentials, std::shared_ptr<auth::TokenStore> store,
               const auth::Renewal& renewal);

  Result<void> check(const std::string& account, std::string_view api_url) const override;
  Renewed renew(const std::string& account, Standing& standing, const Secret& worn_out, Timestamp now,
                const std::stop_token& leaving) override;
  std::optional<Error> save_at_the_end(const std::string& account, Standing& standing) override;

 private:
  class One;
  using Lock = auth::TokenStore::Lock;
  enum class Rotation { unknown, none_seen, seen };

  Result<Lock> lock(const std::string& account, const Standing& standing, const std::stop_token& leaving);

  const Grant grant_;
  auth::Credentials credentials_;
  const std::shared_ptr<auth::TokenStore> store_;
  const RetryPolicy retry_policy_;
  const std::chrono::milliseconds timeout_;
  std::string api_url_, login_url_;  ///< in their normal form
  Result<void> usable_;
  RetryBudget budget_;
  std::atomic<Rotation> rotation_ = Rotation::unknown;  ///< of refresh tokens, so far
};

}  // namespace connectid::inline v0::detail
