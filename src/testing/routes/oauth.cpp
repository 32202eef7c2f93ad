#include "testing/routes/oauth.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

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

OAuthError invalid_grant(std::string description) { return {400, "invalid_grant", std::move(description)}; }

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

TokenEndpoint::TokenEndpoint(const FakeServerOptions& options)
    : client_id_(options.client_id),
      client_secret_(options.client_secret),
      rotates_(options.rotate_refresh_tokens),
      lifetime_(limited(options.access_token_lifetime)) {
  access_tokens_[options.access_token] = {.account = "test", .ends = Clock::time_point::max()};
  refresh_tokens_[options.refresh_token] = {.account = "test", .family = ++families_};
}

HttpResponse TokenEndpoint::response(const ReceivedRequest& request) {
  const GrantRequest asked = read_grant_request(request);
  const std::lock_guard lock(mutex_);
  const Decision decision = decide(asked);
  const auto* const refusal = std::get_if<OAuthError>(&decision);
  remember(asked, refusal == nullptr ? std::string() : refusal->error);
  return std::visit([](const auto& decided) { return to_respond(decided); }, decision);
}

void TokenEndpoint::responded_otherwise(const ReceivedRequest& request, const HttpResponse& response) {
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
  const auto found = refresh_tokens_.find(asked.refresh_token);
  return found == refresh_tokens_.end() ? std::string() : found->second.account;
}

TokenEndpoint::Decision TokenEndpoint::decide(const GrantRequest& asked) {
  if (asked.error) return *asked.error;
  if (asked.client.id != client_id_ || asked.client.secret != client_secret_) {
    return OAuthError{401, "invalid_client", "The client is unknown, or its secret is wrong", asked.client.basic};
  }
  if (asked.grant_type == "client_credentials") return give(asked.client.id, {});
  return refresh(asked.refresh_token);
}

TokenEndpoint::Decision TokenEndpoint::refresh(const std::string& refresh_token) {
  const auto found = refresh_tokens_.find(refresh_token);
  if (found == refresh_tokens_.end()) return invalid_grant("The refresh token is unknown");
  Refresh& known = found->second;
  if (known.spent) {
    ++reused_;
    revoke_family(known.family);
    return invalid_grant("The refresh token was replaced before");
  }
  if (known.revoked) return invalid_grant("The refresh token was revoked");
  known.spent = rotates_;
  return give(known.account, rotates_ ? new_refresh_token(known.account, known.family) : std::string());
}

TokenEndpoint::Tokens TokenEndpoint::give(const std::string& account, std::string refresh_token) {
  Tokens tokens{.access_token = new_secret("access"),
                .expires_in = std::chrono::ceil<std::chrono::seconds>(lifetime_),
                .refresh_token = std::move(refresh_token)};
  access_tokens_[tokens.access_token] = {.account = account, .ends = Clock::now() + lifetime_};
  return tokens;
}

HttpResponse TokenEndpoint::to_respond(const Tokens& tokens) {
  json body = {
      {"access_token", tokens.access_token}, {"token_type", "Bearer"}, {"expires_in", tokens.expires_in.count()}};
  if (!tokens.refresh_token.empty()) body["refresh_token"] = tokens.refresh_token;
  return {.status = 200, .body = body.dump(), .headers = {{"Cache-Control", "no-store"}}};
}

HttpResponse TokenEndpoint::to_respond(const OAuthError& error) {
  HttpResponse response = token_error(error.status, error.error, error.description).response.value();
  if (error.challenge) response.headers.push_back({"WWW-Authenticate", R"(Basic realm="connectid")"});
  return response;
}

std::optional<std::string> TokenEndpoint::account_of(const std::string& access_token) const {
  const std::lock_guard lock(mutex_);
  const auto found = access_tokens_.find(access_token);
  if (found == access_tokens_.end() || Clock::now() >= found->second.ends) return std::nullopt;
  return found->second.account;
}

std::string TokenEndpoint::log_in(const std::string& account) {
  const std::lock_guard lock(mutex_);
  return new_refresh_token(account, ++families_);
}

std::string TokenEndpoint::new_refresh_token(const std::string& account, std::size_t family) {
  std::string token = new_secret("refresh");
  refresh_tokens_[token] = {.account = account, .family = family};
  return token;
}

void TokenEndpoint::revoke(const std::string& account) {
  const std::lock_guard lock(mutex_);
  for (auto& [token, known] : refresh_tokens_) known.revoked = known.revoked || known.account == account;
}

void TokenEndpoint::revoke_family(std::size_t family) {
  for (auto& [token, known] : refresh_tokens_) known.revoked = known.revoked || known.family == family;
}

void TokenEndpoint::expire_access_tokens() {
  const std::lock_guard lock(mutex_);
  access_tokens_.clear();
}

void TokenEndpoint::access_token_lifetime(milliseconds lifetime) {
  const std::lock_guard lock(mutex_);
  lifetime_ = limited(lifetime);
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
