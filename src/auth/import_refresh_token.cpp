#include <connectid/auth/oauth_sources.hpp>

#include <algorithm>
#include <utility>

#include "auth/token_endpoint.hpp"
#include "base/text.hpp"
#include "http/url.hpp"

namespace connectid::inline v0::auth {
namespace {

std::string error_in_token(const Secret& refresh_token) {
  const std::string& text = refresh_token.reveal();
  if (text.empty()) return "the refresh token is empty";
  // RFC 6749 appendix A.17
  const bool visible = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  return visible ? "" : "the refresh token holds a line break or another character that none can hold";
}

}  // namespace

Result<void> import_refresh_token(TokenStore& store, const Credentials& credentials, const std::string& account,
                                  Secret refresh_token, std::stop_token stop) try {
  for (const std::string& error : {detail::error_in(credentials), error_in_token(refresh_token)}) {
    if (!error.empty()) return token_error(error);
  }
  // As long as a renewal may hold it.
  const auto lock = store.lock(account, std::chrono::steady_clock::now() + 2 * Renewal{}.timeout, std::move(stop));
  if (!lock) return lock.error();
  return store.save(account, {.refresh_token = std::move(refresh_token),
                              .api_url = detail::parse_url(credentials.environment.api_url()).text,
                              .login_url = detail::parse_url(credentials.environment.login_url()).text,
                              .client_id = credentials.client_id});
} catch (...) {  // not what(): it may hold a secret
  return token_error("the token store threw an exception, and the refresh token may not be kept");
}

}  // namespace connectid::inline v0::auth
