#include <connectid/refreshing_token.hpp>

#include <algorithm>
#include <utility>

#include "auth/login.hpp"
#include "http/url.hpp"
#include "text.hpp"

namespace connectid::inline v0::auth {
namespace {

std::string problem_with(const Credentials& credentials, const http::Url& api, const http::Url& login,
                         const Secret& refresh_token) {
  if (!api.problem.empty()) return "the API URL " + api.problem;
  if (!login.problem.empty()) return "the login URL " + login.problem;
  if (credentials.client_id.empty()) return "client_id is empty";
  const std::string& text = refresh_token.reveal();
  if (text.empty()) return "the refresh token is empty";
  // RFC 6749 appendix A.17
  const bool visible = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  return visible ? "" : "the refresh token holds a line break or another character that none can hold";
}

}  // namespace

Result<void> import_refresh_token(TokenStore& store, const Credentials& credentials, const std::string& account,
                                  Secret refresh_token) {
  const http::Url api = http::parse_url(credentials.environment.api_url());
  const http::Url login = http::parse_url(credentials.environment.login_url());
  if (std::string problem = problem_with(credentials, api, login, refresh_token); !problem.empty()) {
    return no_token(problem);
  }
  // As long as a renewal may hold it.
  const auto lock = store.lock(account, std::chrono::steady_clock::now() + 2 * Renewal{}.timeout, {});
  if (!lock) return lock.error();
  return store.save(account, {.refresh_token = std::move(refresh_token),
                              .api_url = api.text,
                              .login_url = login.text,
                              .client_id = credentials.client_id});
}

}  // namespace connectid::inline v0::auth
