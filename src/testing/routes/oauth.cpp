#include "testing/routes/oauth.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "testing/routes/authorization_request.hpp"
#include "testing/routes/form.hpp"

namespace connectid::inline v0::testing::detail {
namespace {

using nlohmann::json;
using HttpResponse = Script::HttpResponse;
using std::chrono::milliseconds;

/// Every secret that is made here has the word `canary` in it: whoever looks for leaks has something to look for. The
/// rest is random, so that no two servers or processes make the same.
std::string new_secret(const char* kind) {
  std::random_device random;
  std::string secret = std::string("canary-") + kind + "-";
  for (int i = 0; i < 4; ++i) {
    std::array<char, 9> part{};
    std::snprintf(part.data(), part.size(), "%08x", random());
    secret += part.data();
  }
  return secret;
}

constexpr std::chrono::seconds code_lifetime{60};

bool goes_to(const ReceivedRequest& request, std::string_view path) { return split(request.path, '?').first == path; }

/// A century at the most: what a clock counts ends, too.
milliseconds limited(milliseconds lifetime) {
  return std::clamp<milliseconds>(lifetime, milliseconds{1}, std::chrono::years{100});
}

/// The OAuth error that a script's response holds.
std::string error_in(const HttpResponse& response) {
  const json body = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  const auto error = body.is_object() ? body.find("error") : body.end();
  return error != body.end() && error->is_string() ? error->get<std::string>() : "scripted";
}

}  // namespace

TokenEndpoint::TokenEndpoint(const FakeServerOptions& options, std::function<Clock::time_point()> now)
    : client_id_(options.client_id),
      client_secret_(options.client_secret),
      redirect_uris_(options.redirect_uris),
      rules_(rules_of(options)),
      now_(std::move(now)),
      access_lifetime_(limited(options.access_token_lifetime)),
      refresh_lifetime_(limited(options.refresh_token_lifetime)) {
  access_tokens_[options.access_token] = {.account = "test", .ends = Clock::time_point::max()};
  refresh_tokens_[options.refresh_token] = {
      .account = "test", .family = ++families_, .ends = now_() + refresh_lifetime_};
}

bool TokenEndpoint::serves(const ReceivedRequest& request) {
  return goes_to(request, "/oauth/token") || goes_to(request, "/oauth/authorize");
}

HttpResponse TokenEndpoint::response(const ReceivedRequest& request) {
  if (goes_to(request, "/oauth/authorize")) return authorize(request);
  const GrantRequest asked = read_grant_request(request);
  const std::lock_guard lock(mutex_);
  const Decision decision = decide(asked, now_());
  const auto* const refusal = std::get_if<OAuthError>(&decision);
  remember(asked, refusal == nullptr ? std::string() : refusal->error);
  return std::visit([](const auto& decided) { return to_respond(decided); }, decision);
}

void TokenEndpoint::responded_otherwise(const ReceivedRequest& request, const HttpResponse& response) {
  if (!goes_to(request, "/oauth/token")) return;
  const GrantRequest asked = read_grant_request(request);
  const std::lock_guard lock(mutex_);
  remember(asked, error_in(response));
}

void TokenEndpoint::remember(const GrantRequest& asked, std::string error) {
  requests_.push_back(
      {.grant_type = asked.grant_type, .account = who(asked), .client_id = asked.client.id, .error = std::move(error)});
}

std::string TokenEndpoint::who(const GrantRequest& asked) const {
  if (asked.grant_type == "client_credentials") return asked.client.id;
  const auto code = codes_.find(asked.code);
  if (asked.grant_type == "authorization_code") return code == codes_.end() ? std::string() : code->second.account;
  const auto found = refresh_tokens_.find(asked.refresh_token);
  return found == refresh_tokens_.end() ? std::string() : found->second.account;
}

HttpResponse TokenEndpoint::authorize(const ReceivedRequest& request) {
  const AuthorizationRequest asked = read_authorization_request(request);
  // Nothing is sent to an address that may be somebody else's (RFC 6749 section 4.1.2.1).
  if (asked.client_id != client_id_ || std::ranges::count(redirect_uris_, asked.redirect_uri) == 0) {
    return {.status = 400, .body = "<p>The client or the redirect URI is not registered.</p>"};
  }
  if (!asked.error.empty()) return redirect(asked, "error", asked.error);
  const std::string code = new_secret("code");
  const std::lock_guard lock(mutex_);
  codes_[code] = {.account = next_account(),
                  .family = ++families_,
                  .redirect_uri = asked.redirect_uri,
                  .code_challenge = asked.code_challenge,
                  .ends = now_() + code_lifetime};
  return redirect(asked, "code", code);
}

std::string TokenEndpoint::next_account() {
  if (logins_.empty()) return "test";
  std::string account = std::move(logins_.front());
  logins_.pop_front();
  return account;
}

TokenEndpoint::Decision TokenEndpoint::decide(const GrantRequest& asked, Clock::time_point now) {
  if (asked.error) return *asked.error;
  if (asked.client.id != client_id_ || asked.client.secret != client_secret_) {
    return OAuthError{401, "invalid_client", "The client is unknown, or its secret is wrong",
                      asked.client.basic ? basic_challenge : ""};
  }
  if (asked.grant_type == "client_credentials") return grant({.account = asked.client.id, .is_client = true}, 0, now);
  if (asked.grant_type == "authorization_code") return redeem(asked, now);
  return refresh(asked.refresh_token, now);
}

TokenEndpoint::Decision TokenEndpoint::redeem(const GrantRequest& asked, Clock::time_point now) {
  const auto found = codes_.find(asked.code);
  if (found == codes_.end()) return rules_.error(Refused::code, asked.code);
  Code& code = found->second;
  const bool used_before = std::exchange(code.used, true);
  if (used_before && rules_.a_second_use_revokes_all_it_gave) revoke_family(code.family);
  if (used_before || now >= code.ends || asked.redirect_uri != code.redirect_uri ||
      !proves(asked.code_verifier, code.code_challenge)) {
    return rules_.error(Refused::code, asked.code);
  }
  return grant({.account = code.account}, code.family, now);
}

TokenEndpoint::Decision TokenEndpoint::refresh(const std::string& refresh_token, Clock::time_point now) {
  const auto found = refresh_tokens_.find(refresh_token);
  if (found == refresh_tokens_.end()) return rules_.error(Refused::unknown, refresh_token);
  Refresh& known = found->second;
  if (known.spent) {
    ++reused_;
    if (rules_.a_second_use_revokes_all_it_gave) revoke_family(known.family);
    return rules_.error(Refused::replaced, refresh_token);
  }
  if (known.revoked) return rules_.error(Refused::revoked, refresh_token);
  if (rules_.a_refresh_ends_the_access_token) access_tokens_.erase(known.access_token);
  if (now >= known.ends) return rules_.error(Refused::expired, refresh_token);
  known.spent = rules_.rotates;
  const std::string next = rules_.rotates ? new_refresh_token(known.account, known.family, now) : refresh_token;
  Tokens tokens = told(new_access_token({.account = known.account}, known.family, next, now), now);
  if (!rules_.rotates && !rules_.refresh_token_is_always_told) tokens.refresh_token.clear();
  return tokens;
}

/// As DefaultTokenServices.createAccessToken where existing tokens are given again: one whose access token has ended
/// keeps the refresh token that came with it, as long as that lives.
TokenEndpoint::Tokens TokenEndpoint::grant(const Holder& holder, std::size_t family, Clock::time_point now) {
  std::string refresh_token;
  if (const auto last = last_access_token_.find(holder);
      rules_.existing_tokens_are_given_again && last != last_access_token_.end()) {
    const auto existing = access_tokens_.find(last->second);
    if (existing != access_tokens_.end() && now < existing->second.ends) return told(last->second, now);
    if (existing != access_tokens_.end()) refresh_token = existing->second.refresh_token;
  }
  if (!holder.is_client && (refresh_token.empty() || now >= refresh_tokens_.at(refresh_token).ends)) {
    refresh_token = new_refresh_token(holder.account, family, now);
  }
  return told(new_access_token(holder, family, refresh_token, now), now);
}

std::string TokenEndpoint::new_access_token(const Holder& holder, std::size_t family, const std::string& refresh_token,
                                            Clock::time_point now) {
  std::string token = new_secret("access");
  access_tokens_[token] = {
      .account = holder.account, .family = family, .ends = now + access_lifetime_, .refresh_token = refresh_token};
  if (!refresh_token.empty()) refresh_tokens_.at(refresh_token).access_token = token;
  last_access_token_[holder] = token;
  return token;
}

std::string TokenEndpoint::new_refresh_token(const std::string& account, std::size_t family, Clock::time_point now) {
  std::string token = new_secret("refresh");
  refresh_tokens_[token] = {.account = account, .family = family, .ends = now + refresh_lifetime_};
  return token;
}

TokenEndpoint::Tokens TokenEndpoint::told(const std::string& access_token, Clock::time_point now) const {
  using std::chrono::seconds;
  const Access& access = access_tokens_.at(access_token);
  const auto left = access.ends - now;
  return {.access_token = access_token,
          .expires_in =
              rules_.expires_in_is_rounded_up ? std::chrono::ceil<seconds>(left) : std::chrono::floor<seconds>(left),
          .refresh_token = access.refresh_token};
}

HttpResponse TokenEndpoint::to_respond(const Tokens& tokens) {
  json body = {
      {"access_token", tokens.access_token}, {"token_type", "Bearer"}, {"expires_in", tokens.expires_in.count()}};
  if (!tokens.refresh_token.empty()) body["refresh_token"] = tokens.refresh_token;
  return {.status = 200, .body = body.dump(), .headers = {{"Cache-Control", "no-store"}}};
}

HttpResponse TokenEndpoint::to_respond(const OAuthError& error) {
  HttpResponse response = token_error(error.status, error.error, error.description).response.value();
  if (!error.challenge.empty()) response.headers.push_back({"WWW-Authenticate", error.challenge});
  return response;
}

std::optional<std::string> TokenEndpoint::account_of(const std::string& access_token) const {
  const std::lock_guard lock(mutex_);
  const auto found = access_tokens_.find(access_token);
  if (found == access_tokens_.end() || now_() >= found->second.ends) return std::nullopt;
  return found->second.account;
}

std::string TokenEndpoint::log_in(const std::string& account) {
  const std::lock_guard lock(mutex_);
  return grant({.account = account}, ++families_, now_()).refresh_token;
}

void TokenEndpoint::next_login(std::string account) {
  const std::lock_guard lock(mutex_);
  logins_.push_back(std::move(account));
}

void TokenEndpoint::revoke(const std::string& account) {
  const std::lock_guard lock(mutex_);
  for (auto& [token, known] : refresh_tokens_) known.revoked = known.revoked || known.account == account;
  last_access_token_.erase({.account = account});  // else whoever logs in again is given what was revoked
}

void TokenEndpoint::revoke_family(std::size_t family) {
  for (auto& [token, known] : refresh_tokens_) known.revoked = known.revoked || known.family == family;
  std::erase_if(access_tokens_, [family](const auto& given) { return given.second.family == family; });
}

void TokenEndpoint::expire_access_tokens() {
  const std::lock_guard lock(mutex_);
  for (auto& [token, access] : access_tokens_) access.ends = Clock::time_point::min();
}

void TokenEndpoint::access_token_lifetime(milliseconds lifetime) {
  const std::lock_guard lock(mutex_);
  access_lifetime_ = limited(lifetime);
}

void TokenEndpoint::refresh_token_lifetime(milliseconds lifetime) {
  const std::lock_guard lock(mutex_);
  refresh_lifetime_ = limited(lifetime);
}

std::vector<TokenGrant> TokenEndpoint::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t TokenEndpoint::reused() const {
  const std::lock_guard lock(mutex_);
  return reused_;
}

}  // namespace connectid::inline v0::testing::detail
