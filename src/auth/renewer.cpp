#include "auth/renewer.hpp"

#include <algorithm>
#include <utility>

#include <connectid/http/curl_transport.hpp>

#include "auth/login.hpp"
#include "auth/stores.hpp"
#include "http/url.hpp"
#include "text.hpp"

namespace connectid::inline v0::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Where the login was not asked, a look costs next to nothing, and somebody may mend it at any time.
constexpr milliseconds soon = std::chrono::seconds{1};

NotRenewed not_renewed(Error error) { return {.error = std::move(error), .pause = soon}; }
NotRenewed not_renewed(const std::string& why, TokenError detail = {}) {
  return not_renewed(no_token(why, std::move(detail)));
}

bool needs_login(const Error& error) {
  const auto* detail = error.get_if<TokenError>();
  return detail && detail->log_in_again;
}

std::string problem_with(const Credentials& credentials, const http::Url& api, const http::Url& login, bool has_store) {
  if (!api.problem.empty()) return "the API URL " + api.problem;
  if (!login.problem.empty()) return "the login URL " + login.problem;
  if (credentials.client_id.empty()) return "client_id is empty";
  if (credentials.grant == Grant::refresh_token && !has_store) return "there is no store to keep refresh tokens in";
  return {};
}

}  // namespace

bool lives(const StoredToken& token, Timestamp now) noexcept {
  return !token.access_token.empty() && now < token.expires_at;
}

Renewer::Renewer(Credentials credentials, std::shared_ptr<TokenStore> store, std::string account, Renewal renewal)
    : credentials_(std::move(credentials)),
      store_(std::move(store)),
      account_(std::move(account)),
      renewal_(renewal),
      budget_(renewal.retry_policy.budget) {
  const http::Url api = http::parse_url(credentials_.environment.api_url());
  const http::Url login = http::parse_url(credentials_.environment.login_url());
  problem_ = problem_with(credentials_, api, login, store_ != nullptr);
  api_url_ = api.text;
  login_url_ = login.text;
  if (!store_) store_ = std::make_shared<MemoryTokenStore>();
  if (!credentials_.transport) credentials_.transport = std::make_shared<http::CurlTransport>();
}

std::string Renewer::objection_to(std::string_view api_url) const {
  if (api_url.empty() || api_url == credentials_.environment.api_url()) return {};
  if (http::parse_url(std::string(api_url)).text == api_url_) return {};
  return "the tokens of account " + quoted(account_) + " are for " + api_url_ + " and for no other API";
}

/// Tokens of another service, or of another client, are neither used nor overwritten.
std::string Renewer::objection_to(const StoredToken& stored) const {
  const std::string whose = "the stored token of account " + quoted(account_);
  const auto got_for = [&](const std::string& theirs, const std::string& ours) {
    return whose + " was got for " + (theirs.empty() ? "nobody says what" : detail::printable(theirs, 200)) +
           ", and this is for " + ours + ": use the account where it belongs, or log in under another name";
  };
  if (stored.api_url != api_url_) return got_for(stored.api_url, api_url_);
  if (stored.login_url != login_url_) return got_for(stored.login_url, login_url_);
  if (stored.client_id != credentials_.client_id) {
    return got_for("the client " + stored.client_id, "the client " + detail::printable(credentials_.client_id, 100));
  }
  if (credentials_.grant == Grant::client_credentials && !stored.refresh_token.empty()) {
    return "account " + quoted(account_) +
           " is a customer's, whose refresh token would be lost: keep the client's own " + "tokens under another name";
  }
  return {};
}

/// What the store has of the account; empty texts where that is nothing.
Renewer::Renewed Renewer::load_own() {
  auto loaded = store_->load(account_);
  const bool begins_anew = credentials_.grant == Grant::client_credentials && !loaded && needs_login(loaded.error());
  if (begins_anew) return StoredToken{};
  if (!loaded) return not_renewed(loaded.error());
  if (!*loaded) return StoredToken{};
  if (std::string objection = objection_to(**loaded); !objection.empty()) return not_renewed(objection);
  return **std::move(loaded);
}

Renewer::Renewed Renewer::renew(const Secret& worn_out, Timestamp now, const std::stop_token& leaving) {
  const auto deadline = steady_clock::now() + renewal_.timeout;
  const auto lock = store_->lock(account_, deadline, leaving);
  if (!lock)
    return not_renewed(no_token("the store's lock was not had: " + lock.error().message(), {.temporary = true}));
  Renewed own = load_own();
  if (std::holds_alternative<NotRenewed>(own)) return own;
  StoredToken stored = std::get<StoredToken>(std::move(own));

  if (auto kept = std::exchange(unsaved_, std::nullopt); kept && kept->spent == stored.refresh_token) {
    Renewed saved = keep(std::move(kept->token), kept->spent);
    if (std::holds_alternative<NotRenewed>(saved)) return saved;
    stored = std::get<StoredToken>(std::move(saved));
  }
  if (lives(stored, now) && stored.access_token != worn_out) return stored;
  const auto left = std::chrono::floor<milliseconds>(deadline - steady_clock::now());
  return ask(stored, left, now, leaving);
}

Renewer::Renewed Renewer::ask(const StoredToken& stored, milliseconds left, Timestamp now,
                              const std::stop_token& leaving) {
  const bool refresh = credentials_.grant == Grant::refresh_token;
  const Secret spent = refresh ? stored.refresh_token : Secret();
  if (!refresh && credentials_.client_secret.empty()) {
    return not_renewed("client_secret is empty, and client credentials need one");
  }
  if (refresh && spent.empty()) {
    return not_renewed("the store has no refresh token of account " + quoted(account_) + ": log in",
                       {.log_in_again = true});
  }
  if (refresh && death_ && spent == dead_refresh_token_) return not_renewed(*death_);

  // A refresh that is broken off may have spent its token, and the new one would be lost.
  LoginReply reply =
      ask_login(credentials_, spent, renewal_.retry_policy, left, budget_, refresh ? std::stop_token() : leaving);
  if (reply.error && needs_login(*reply.error)) {
    dead_refresh_token_ = spent;
    death_ = reply.error;
  }
  const bool replaced = refresh && !reply.answer.refresh_token.empty();
  StoredToken token{.api_url = api_url_, .login_url = login_url_, .client_id = credentials_.client_id};
  token.refresh_token = spent;
  if (replaced) token.refresh_token = std::move(reply.answer.refresh_token);
  if (!reply.error) {
    token.access_token = std::move(reply.answer.access_token);
    token.obtained_at = now;
    token.expires_at = now + reply.answer.expires_in;
    return keep(std::move(token), spent);
  }
  if (replaced) {
    Renewed kept = keep(std::move(token), spent);
    if (std::holds_alternative<NotRenewed>(kept)) return kept;
  }
  return NotRenewed{*std::move(reply.error), reply.named_pause};
}

/// Nothing is used that is not in the store first: a process that dies would take the only refresh token with it.
Renewer::Renewed Renewer::keep(StoredToken token, const Secret& spent) {
  unsaved_ = Unsaved{spent, token};
  const Result<void> saved = store_->save(account_, token);
  if (!saved) {
    return not_renewed("the store cannot keep the new token of account " + quoted(account_) +
                           ", which is held in memory until it can: " + saved.error().message(),
                       {.temporary = true});
  }
  unsaved_.reset();
  return token;
}

}  // namespace connectid::inline v0::auth
