#include "auth/renewal.hpp"

#include <algorithm>
#include <utility>

#include <connectid/http/curl_transport.hpp>

#include "auth/stores/stores.hpp"
#include "auth/token_endpoint.hpp"
#include "auth/token_life.hpp"
#include "base/pause.hpp"
#include "base/text.hpp"
#include "http/url.hpp"

namespace connectid::inline v0::detail {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Where the authorization server was not asked, a look costs next to nothing, and somebody may fix it at any time.
constexpr milliseconds soon = std::chrono::seconds{1};

NotRenewed not_renewed(Error error) { return {.error = std::move(error), .pause = soon, .backs_off = false}; }
NotRenewed not_renewed(const std::string& why, TokenError detail = {}) {
  return not_renewed(token_error(why, std::move(detail)));
}

NotRenewed not_renewed(TokenEndpointResult&& result) {
  return {.error = *std::move(result.error), .pause = result.named_pause};
}

/// A store that is set up wrongly is the operator's to fix; whatever else it says may pass.
bool may_pass(const Error& error) { return error.kind() != ErrorKind::configuration_error && !needs_login(error); }

NotRenewed store_failed(const std::string& what, const Error& error) {
  return not_renewed(what + error.message(), {.log_in_again = needs_login(error), .temporary = may_pass(error)});
}

}  // namespace

StoreRenewer::StoreRenewer(Grant grant, auth::Credentials credentials, std::shared_ptr<auth::TokenStore> store,
                           const auth::Renewal& renewal)
    : grant_(grant),
      credentials_(std::move(credentials)),
      store_(store || grant == Grant::refresh_token ? std::move(store) : std::make_shared<auth::MemoryTokenStore>()),
      retry_policy_(renewal.retry_policy),
      timeout_(std::clamp<milliseconds>(renewal.timeout, milliseconds{0}, std::chrono::hours{1})),
      api_url_(parse_url(credentials_.environment.api_url()).text),
      login_url_(parse_url(credentials_.environment.login_url()).text),
      usable_(detail::check(credentials_)),
      budget_(renewal.retry_policy.budget) {
  if (usable_ && !store_) usable_ = token_error("there is no store to keep refresh tokens in");
  if (!credentials_.transport) credentials_.transport = std::make_shared<http::CurlTransport>();
}

Result<void> StoreRenewer::check(const std::string& account, std::string_view api_url) const {
  if (!usable_ || api_url.empty() || api_url == credentials_.environment.api_url()) return usable_;
  if (parse_url(std::string(api_url)).text == api_url_) return {};
  return token_error("the tokens of account " + quoted_account(account) + " are for " + api_url_ +
                     " and for no other API");
}

/// One renewal of one account, with its lock held.
class StoreRenewer::One {
 public:
  One(StoreRenewer& by, const std::string& account, Standing& standing, Lock lock, const std::stop_token& leaving)
      : by_(by), account_(account), standing_(standing), lock_(std::move(lock)), leaving_(leaving) {}

  Renewed renew(const Secret& worn_out, Timestamp now);
  std::optional<Error> save_unsaved();

 private:
  Result<void> check_own(const auth::StoredToken& stored) const;
  Result<auth::Credentials> credentials() const;
  TokenEndpointResult ask_with(const Secret& refresh_token, const auth::Credentials& credentials);
  Renewed refresh(auth::StoredToken stored, Timestamp now);
  Renewed get_with_credentials(Timestamp now);
  auth::StoredToken token_in(TokenEndpointResult& result, Timestamp now) const;
  Renewed load_own();
  Result<void> save(const auth::StoredToken& token);
  std::optional<Error> keep();
  NotRenewed not_kept(const Error& error) const;

  StoreRenewer& by_;
  const std::string& account_;
  Standing& standing_;
  const Lock lock_;
  const std::stop_token& leaving_;
  /// First of what comes before the authorization server, then of the rest.
  steady_clock::time_point deadline_ = steady_clock::now() + by_.timeout_;
};

/// A token that the store has not taken has kept its lock. A lease may be lost all the same, and can be had again.
Result<StoreRenewer::Lock> StoreRenewer::lock(const std::string& account, const Standing& standing,
                                              const std::stop_token& leaving) {
  const auto* unsaved = std::get_if<Unsaved>(&standing);
  auto lock = store_->lock(account, {.deadline = steady_clock::now() + (unsaved ? milliseconds{0} : timeout_),
                                     .held_for = 2 * timeout_,
                                     .stop = leaving});
  return !lock && unsaved ? unsaved->lock : lock;
}

Renewed StoreRenewer::renew(const std::string& account, Standing& standing, const Secret& worn_out, Timestamp now,
                            const std::stop_token& leaving) {
  const auto began = steady_clock::now();
  auto held = lock(account, standing, leaving);
  if (!held) return store_failed("the store's lock was not had: ", held.error());
  now += std::chrono::round<milliseconds>(steady_clock::now() - began);
  return One(*this, account, standing, *std::move(held), leaving).renew(worn_out, now);
}

Renewed StoreRenewer::One::renew(const Secret& worn_out, Timestamp now) {
  if (const auto failed = save_unsaved()) return not_kept(*failed);
  Renewed own = load_own();
  if (std::holds_alternative<NotRenewed>(own)) return own;
  auto& stored = std::get<auth::StoredToken>(own);
  if (is_live(stored, now) && stored.access_token != worn_out) return own;
  return by_.grant_ == Grant::refresh_token ? refresh(std::move(stored), now) : get_with_credentials(now);
}

/// What the store has of the account; empty texts where that is nothing.
Renewed StoreRenewer::One::load_own() {
  auto loaded = by_.store_->load(account_);
  const bool lost = !loaded && needs_login(loaded.error());
  if (lost && by_.grant_ == Grant::client_credentials) return auth::StoredToken{};
  if (!loaded) return store_failed("the store cannot be read: ", loaded.error());
  if (!*loaded) return auth::StoredToken{};
  if (const auto own = check_own(**loaded); !own) return not_renewed(own.error());
  return **std::move(loaded);
}

/// Tokens of another service, or of another client, are neither used nor overwritten.
Result<void> StoreRenewer::One::check_own(const auth::StoredToken& stored) const {
  const auto got_for = [&](const std::string& theirs, const std::string& ours) {
    return token_error("the stored token of account " + quoted_account(account_) + " was got for " +
                       (theirs.empty() ? "nobody says what" : printable(theirs, 200)) + ", and this is for " + ours +
                       ": use the account where it belongs, or log in under another name");
  };
  if (stored.api_url != by_.api_url_) return got_for(stored.api_url, by_.api_url_);
  if (stored.login_url != by_.login_url_) return got_for(stored.login_url, by_.login_url_);
  if (stored.client_id != by_.credentials_.client_id) {
    return got_for("the client " + stored.client_id, "the client " + printable(by_.credentials_.client_id, 100));
  }
  if (by_.grant_ == Grant::client_credentials && !stored.refresh_token.empty()) {
    return token_error("account " + quoted_account(account_) +
                       " is a customer's, whose refresh token would be lost: keep the client's own tokens under "
                       "another name");
  }
  return {};
}

Result<auth::Credentials> StoreRenewer::One::credentials() const {
  auth::Credentials credentials = by_.credentials_;
  if (!credentials.client_secret_from) return credentials;
  auto secret = credentials.client_secret_from();
  if (!secret) return store_failed("the client secret was not had: ", secret.error()).error;
  if (secret->empty()) return token_error("client_secret_from gave an empty secret");
  credentials.client_secret = *std::move(secret);
  return credentials;
}

/// It has the whole time, however long the store and a vault took: who hangs up may lose a refresh token.
TokenEndpointResult StoreRenewer::One::ask_with(const Secret& refresh_token, const auth::Credentials& credentials) {
  const auto* lost = std::get_if<Lost>(&standing_);
  return ask_token_endpoint({.credentials = credentials,
                             .refresh_token = refresh_token,
                             .response_was_lost = lost && lost->refresh_token == refresh_token,
                             .retry = by_.retry_policy_,
                             .timeout = by_.timeout_,
                             .budget = by_.budget_,
                             .stop = leaving_});
}

auth::StoredToken StoreRenewer::One::token_in(TokenEndpointResult& result, Timestamp now) const {
  return {.access_token = std::move(result.response.access_token),
          .obtained_at = now,
          .expires_at = now + result.response.expires_in,
          .refresh_token = std::move(result.response.refresh_token),
          .api_url = by_.api_url_,
          .login_url = by_.login_url_,
          .client_id = by_.credentials_.client_id};
}

/// It is used even where it cannot be saved, for it can be had again.
Renewed StoreRenewer::One::get_with_credentials(Timestamp now) {
  const auto with = credentials();
  if (!with) return not_renewed(with.error());
  if (with->client_secret.empty()) return not_renewed("client_secret is empty, and client credentials need one");
  TokenEndpointResult result = ask_with({}, *with);
  // An authorization server that gives the same token while it lives gives another one then.
  const auto rest = result.response.expires_in + std::chrono::seconds{1};
  if (!result.error && rest <= std::chrono::seconds{2} && rest < by_.timeout_) {
    pause_until(steady_clock::now() + rest, leaving_);
    if (!leaving_.stop_requested()) {
      now += rest;
      result = ask_with({}, *with);
    }
  }
  if (result.error) return not_renewed(std::move(result));
  auth::StoredToken token = token_in(result, now);
  token.refresh_token = {};
  static_cast<void>(save(token));
  return token;
}

/// A refresh token is in the store before anything is used: a process that dies would take it along.
Renewed StoreRenewer::One::refresh(auth::StoredToken stored, Timestamp now) {
  const Secret spent = stored.refresh_token;
  if (spent.empty()) {
    return not_renewed("the store has no refresh token of account " + quoted_account(account_) + ": log in",
                       {.log_in_again = true});
  }
  if (const auto* refused = std::get_if<Refused>(&standing_); refused && refused->refresh_token == spent)
    return not_renewed(refused->error);
  if (!stored.refused.empty()) {
    return not_renewed("the authorization server has refused the refresh token of account " + quoted_account(account_) +
                           " (" + printable(stored.refused, 100) + "): log in again",
                       {.error = stored.refused, .log_in_again = true});
  }
  const auto with = credentials();
  if (!with) return not_renewed(with.error());
  // Before it is spent: the store that cannot keep the old token now cannot keep the new one then.
  if (const auto works = save(stored); !works && by_.rotation_ != Rotation::none_seen)
    return store_failed("the store cannot be written, so the refresh token was not sent: ", works.error());
  if (steady_clock::now() > deadline_) {
    return not_renewed(
        "the store, or the client's vault, was so slow that the lock may end: the refresh token was not sent",
        {.temporary = true});
  }

  TokenEndpointResult result = ask_with(spent, *with);
  deadline_ = std::max(deadline_, steady_clock::now() + by_.timeout_ / 4);
  standing_ = result.response_was_lost ? Standing(Lost{spent}) : Standing();
  if (result.error && needs_login(*result.error)) {
    standing_ = Refused{spent, *result.error};
    stored.refused = result.error->get_if<TokenError>()->error;
    static_cast<void>(save(stored));
    return not_renewed(*std::move(result.error));
  }
  if (result.response.refresh_token.empty()) result.response.refresh_token = spent;
  const bool replaced = result.response.refresh_token != spent;
  if (result.error && !replaced) return not_renewed(std::move(result));
  if (replaced) by_.rotation_ = Rotation::seen;
  if (auto unknown = Rotation::unknown; !replaced) by_.rotation_.compare_exchange_strong(unknown, Rotation::none_seen);
  auth::StoredToken token = token_in(result, now);
  if (!replaced) {
    static_cast<void>(save(token));
    return token;
  }
  if (result.error) token.access_token = {};
  standing_ = Unsaved{spent, token, lock_};
  if (const auto failed = keep()) return not_kept(*failed);
  if (result.error) return not_renewed(std::move(result));
  return token;
}

/// What was held in memory, unless somebody has put another token there since. Says why not.
std::optional<Error> StoreRenewer::One::save_unsaved() {
  auto* unsaved = std::get_if<Unsaved>(&standing_);
  if (!unsaved) return std::nullopt;
  unsaved->lock = lock_;
  const auto loaded = by_.store_->load(account_);
  if (!loaded && !needs_login(loaded.error())) return loaded.error();
  const bool another = loaded && (!*loaded || (*loaded)->refresh_token != unsaved->spent);
  if (!another) return keep();
  standing_ = {};
  return std::nullopt;
}

/// Tries to save what the store has not taken while there is time, and says why it did not.
std::optional<Error> StoreRenewer::One::keep() {
  constexpr milliseconds first_pause{50}, longest_pause{1000};
  const auth::StoredToken& token = std::get<Unsaved>(standing_).token;
  Result<void> saved = save(token);
  for (milliseconds pause = first_pause; !saved; pause = std::min(2 * pause, longest_pause)) {
    const auto again_at = steady_clock::now() + pause;
    if (!may_pass(saved.error()) || again_at >= deadline_ || leaving_.stop_requested()) return saved.error();
    pause_until(again_at, leaving_);
    saved = save(token);
  }
  standing_ = {};
  return std::nullopt;
}

NotRenewed StoreRenewer::One::not_kept(const Error& error) const {
  return store_failed("the store cannot keep the new token of account " + quoted_account(account_) +
                          ", which is held in memory until it can: ",
                      error);
}

Result<void> StoreRenewer::One::save(const auth::StoredToken& token) try {
  return by_.store_->save(account_, token);
} catch (...) {  // not what(): it may hold a secret
  return token_error("it was broken off by an exception");
}

std::optional<Error> StoreRenewer::save_at_the_end(const std::string& account, Standing& standing) {
  if (!std::holds_alternative<Unsaved>(standing)) return std::nullopt;
  std::stop_source nobody_waits;
  nobody_waits.request_stop();
  std::string why;
  try {
    const std::stop_token leaving = nobody_waits.get_token();
    const auto failed = One(*this, account, standing, *lock(account, standing, leaving), leaving).save_unsaved();
    if (!failed) return std::nullopt;
    why = failed->message();
  } catch (...) {  // not what(): it may hold a secret
    why = "the token store threw an exception";
  }
  return token_error("LOST: the new refresh token of account " + quoted_account(account) +
                         " could not be saved: log in again (" + why + ")",
                     {.log_in_again = true});
}

}  // namespace connectid::inline v0::detail
