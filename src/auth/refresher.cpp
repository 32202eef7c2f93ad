#include "auth/refresher.hpp"

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

bool needs_login(const Error& error) {
  const auto* detail = error.get_if<TokenError>();
  return detail && detail->log_in_again;
}

/// A store that is set up wrongly is the operator's to fix; whatever else it says may pass.
bool may_pass(const Error& store_error) { return store_error.kind() != ErrorKind::configuration_error; }

NotRenewed store_failed(const std::string& what, const Error& error) {
  return not_renewed(what + error.message(), {.temporary = may_pass(error)});
}

/// As far as the store can tell.
bool lives(const auth::StoredToken& token, Timestamp now) {
  return !token.access_token.empty() && now < usable_until(token);
}

}  // namespace

Refresher::Refresher(Grant grant, auth::SourceOptions&& options)
    : grant_(grant),
      credentials_(std::move(options.credentials)),
      store_(std::move(options.store)),
      account_(std::move(options.account)),
      renewal_(options.renewal),
      budget_(renewal_.retry_policy.budget) {
  const Url api = parse_url(credentials_.environment.api_url());
  const Url login = parse_url(credentials_.environment.login_url());
  usable_ = check(credentials_);
  const bool keeps_nothing = grant_ == Grant::refresh_token && !store_;
  if (usable_ && keeps_nothing) usable_ = token_error("there is no store to keep refresh tokens in");
  api_url_ = api.text;
  login_url_ = login.text;
  if (account_.empty() && grant_ == Grant::client_credentials) account_ = credentials_.client_id;
  if (!store_) store_ = std::make_shared<auth::MemoryTokenStore>();
  if (!credentials_.transport) credentials_.transport = std::make_shared<http::CurlTransport>();
}

Result<void> Refresher::check_api(std::string_view api_url) const {
  if (api_url.empty() || api_url == credentials_.environment.api_url()) return {};
  if (parse_url(std::string(api_url)).text == api_url_) return {};
  return token_error("the tokens of account " + quoted_account(account_) + " are for " + api_url_ +
                     " and for no other API");
}

/// Tokens of another service, or of another client, are neither used nor overwritten.
Result<void> Refresher::check_own(const auth::StoredToken& stored) const {
  const std::string whose = "the stored token of account " + quoted_account(account_);
  const auto got_for = [&](const std::string& theirs, const std::string& ours) {
    return token_error(whose + " was got for " + (theirs.empty() ? "nobody says what" : printable(theirs, 200)) +
                       ", and this is for " + ours +
                       ": use the account where it belongs, or log in under another name");
  };
  if (stored.api_url != api_url_) return got_for(stored.api_url, api_url_);
  if (stored.login_url != login_url_) return got_for(stored.login_url, login_url_);
  if (stored.client_id != credentials_.client_id) {
    return got_for("the client " + stored.client_id, "the client " + printable(credentials_.client_id, 100));
  }
  if (grant_ == Grant::client_credentials && !stored.refresh_token.empty()) {
    return token_error("account " + quoted_account(account_) +
                       " is a customer's, whose refresh token would be lost: keep the client's own tokens under "
                       "another name");
  }
  return {};
}

/// What the store has of the account; empty texts where that is nothing.
Refresher::Renewed Refresher::load_own() {
  auto loaded = store_->load(account_);
  if (!loaded && needs_login(loaded.error())) {
    if (unsaved_) return auth::StoredToken{.refresh_token = unsaved_->spent};  // what comes after it is still here
    if (grant_ == Grant::client_credentials) return auth::StoredToken{};
  }
  if (!loaded) return not_renewed(loaded.error());
  if (!*loaded) return auth::StoredToken{};
  if (const auto own = check_own(**loaded); !own) return not_renewed(own.error());
  return **std::move(loaded);
}

Refresher::Renewed Refresher::renew(const Secret& worn_out, Timestamp now, const std::stop_token& leaving) {
  const auto lock = store_->lock(account_, {.deadline = steady_clock::now() + renewal_.timeout, .stop = leaving});
  if (!lock) return store_failed("the store's lock was not had: ", lock.error());
  // The whole time again: a refresh with little time left would not hear its response.
  return renew_locked(worn_out, now, {steady_clock::now() + renewal_.timeout, leaving});
}

Refresher::Renewed Refresher::renew_locked(const Secret& worn_out, Timestamp now, const Patience& patience) {
  Renewed own = load_own();
  if (std::holds_alternative<NotRenewed>(own)) return own;
  auth::StoredToken stored = std::get<auth::StoredToken>(std::move(own));
  if (unsaved_ && unsaved_->spent != stored.refresh_token) unsaved_.reset();  // somebody has put another one there
  if (unsaved_) {
    Renewed saved = save_unsaved(patience);
    if (std::holds_alternative<NotRenewed>(saved)) return saved;
    stored = std::get<auth::StoredToken>(std::move(saved));
  }
  if (lives(stored, now) && stored.access_token != worn_out) return stored;
  return ask(stored, now, patience);
}

Refresher::Renewed Refresher::ask(const auth::StoredToken& stored, Timestamp now, const Patience& patience) {
  const bool refresh = grant_ == Grant::refresh_token;
  const Secret spent = refresh ? stored.refresh_token : Secret();
  if (!refresh && credentials_.client_secret.empty()) {
    return not_renewed("client_secret is empty, and client credentials need one");
  }
  if (refresh && spent.empty()) {
    return not_renewed("the store has no refresh token of account " + quoted_account(account_) + ": log in",
                       {.log_in_again = true});
  }
  if (refresh && death_ && spent == dead_refresh_token_) return not_renewed(*death_);

  TokenEndpointResult result =
      ask_token_endpoint({.credentials = credentials_,
                          .refresh_token = spent,
                          .response_was_lost = refresh && spent == maybe_spent_,
                          .retry = renewal_.retry_policy,
                          .timeout = std::chrono::floor<milliseconds>(patience.deadline - steady_clock::now()),
                          .budget = budget_,
                          // A refresh that is broken off may have spent its token, and the new one would be lost.
                          .stop = refresh ? std::stop_token() : patience.leaving});
  maybe_spent_ = result.response_was_lost ? spent : Secret();
  if (result.error && needs_login(*result.error)) {
    dead_refresh_token_ = spent;
    death_ = result.error;
  }
  const bool replaced = refresh && !result.response.refresh_token.empty();
  auth::StoredToken token{.api_url = api_url_, .login_url = login_url_, .client_id = credentials_.client_id};
  token.refresh_token = spent;
  if (replaced) token.refresh_token = std::move(result.response.refresh_token);
  if (!result.error) {
    token.access_token = std::move(result.response.access_token);
    token.obtained_at = now;
    token.expires_at = now + result.response.expires_in;
    return keep(std::move(token), spent, patience);
  }
  if (replaced) {
    Renewed kept = keep(std::move(token), spent, patience);
    if (std::holds_alternative<NotRenewed>(kept)) return kept;
  }
  return NotRenewed{.error = *std::move(result.error), .pause = result.named_pause};
}

/// A refresh token is in the store before anything is used: a process that dies would take it along. What client
/// credentials bring can be had again, and is used even where it cannot be saved.
Refresher::Renewed Refresher::keep(auth::StoredToken token, const Secret& spent, const Patience& patience) {
  if (token.refresh_token.empty()) {
    static_cast<void>(save(token));
    return token;
  }
  unsaved_ = Unsaved{spent, std::move(token)};
  return save_unsaved(patience);
}

/// With the lock held all the while: whoever had it next would spend the refresh token that was replaced.
Refresher::Renewed Refresher::save_unsaved(const Patience& patience) {
  constexpr milliseconds first_pause{50}, longest_pause{1000};
  Result<void> saved = save(unsaved_->token);
  for (milliseconds pause = first_pause; !saved; pause = std::min(2 * pause, longest_pause)) {
    const auto again_at = steady_clock::now() + pause;
    if (!may_pass(saved.error()) || again_at >= patience.deadline || patience.leaving.stop_requested()) {
      return store_failed("the store cannot keep the new token of account " + quoted_account(account_) +
                              ", which is held in memory until it can: ",
                          saved.error());
    }
    pause_until(again_at, patience.leaving);
    saved = save(unsaved_->token);
  }
  auth::StoredToken token = std::move(unsaved_->token);
  unsaved_.reset();
  return token;
}

Result<void> Refresher::save(const auth::StoredToken& token) try {
  return store_->save(account_, token);
} catch (...) {  // not what(): it may hold a secret
  return token_error("it was broken off by an exception");
}

Refresher::~Refresher() {
  if (!unsaved_) return;
  try {
    save_at_the_end();
  } catch (...) {  // nobody is left to be told
  }
}

/// Whoever holds the lock for longer is renewing, and decides.
void Refresher::save_at_the_end() {
  const auto lock = store_->lock(account_, {.deadline = steady_clock::now() + std::chrono::seconds{1}});
  if (!lock) return;
  const Renewed own = load_own();
  const auto* stored = std::get_if<auth::StoredToken>(&own);
  if (stored && stored->refresh_token == unsaved_->spent) static_cast<void>(save(unsaved_->token));
}

}  // namespace connectid::inline v0::detail
