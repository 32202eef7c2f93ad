#include <connectid/auth/oauth_sources.hpp>

#include <algorithm>
#include <utility>

#include "auth/stores/stores.hpp"
#include "auth/token_endpoint.hpp"
#include "base/text.hpp"
#include "http/url.hpp"

namespace connectid::inline v0::auth {
namespace {

Result<void> check(const Secret& refresh_token) {
  const std::string& text = refresh_token.reveal();
  if (text.empty()) return token_error("the refresh token is empty");
  // RFC 6749 appendix A.17
  const bool visible = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  if (!visible) return token_error("the refresh token holds a line break or another character that none can hold");
  return {};
}

/// Whether nothing is forgotten that could still be used.
bool is_free(const Result<std::optional<StoredToken>>& kept) {
  return kept ? !*kept || !(*kept)->refused.empty() : detail::needs_login(kept.error());
}

}  // namespace

Result<void> import_refresh_token(TokenStore& store, const Credentials& credentials, const std::string& account,
                                  Secret refresh_token, std::stop_token stop, IfKept if_kept) try {
  if (auto checked = detail::check(credentials).and_then([&] { return check(refresh_token); }); !checked)
    return checked;
  // As long as a renewal may hold it.
  const auto lock = store.lock(
      account, {.deadline = std::chrono::steady_clock::now() + 2 * Renewal{}.timeout, .stop = std::move(stop)});
  if (!lock) return lock.error();
  if (if_kept == IfKept::refuse && !is_free(store.load(account)))
    return token_error("account " + detail::quoted_account(account) + " has tokens already, which would be forgotten");
  return store.save(account, {.refresh_token = std::move(refresh_token),
                              .api_url = detail::parse_url(credentials.environment.api_url()).text,
                              .login_url = detail::parse_url(credentials.environment.login_url()).text,
                              .client_id = credentials.client_id});
} catch (...) {  // not what(): it may hold a secret
  return token_error("the token store threw an exception, and the refresh token may not be kept");
}

}  // namespace connectid::inline v0::auth
