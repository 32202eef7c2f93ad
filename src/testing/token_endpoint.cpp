#include "testing/token_endpoint.hpp"

#include <httplib.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

namespace connectid::inline v0::testing::detail {
namespace {

using nlohmann::json;
using HttpAnswer = Script::HttpAnswer;
using Parameters = std::multimap<std::string, std::string>;

/// A request that is refused, with the words for it.
struct Refused {
  int status;
  std::string error;
  std::string description;
  bool challenge = false;  ///< for HTTP Basic
};

HttpAnswer answer_to(const Refused& refused) {
  HttpAnswer answer{.status = refused.status,
                    .body = json{{"error", refused.error}, {"error_description", refused.description}}.dump(
                        -1, ' ', false, json::error_handler_t::replace),
                    .headers = {{"Cache-Control", "no-store"}}};
  if (refused.challenge) answer.headers.push_back({"WWW-Authenticate", R"(Basic realm="connectid")"});
  return answer;
}

Refused invalid_request(std::string why) { return {400, "invalid_request", std::move(why)}; }

std::string field(const http::Headers& headers, std::string_view name) {
  const std::string* value = http::find(headers, name);
  return value ? *value : std::string();
}

Parameters form(const std::string& text) {
  Parameters parameters;
  httplib::detail::parse_query_text(text, parameters);
  return parameters;
}

std::string parameter(const Parameters& parameters, const std::string& name) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

std::optional<std::string> decoded(const std::string& base64) {
  std::string text(base64.size() / 4 * 3 + 3, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size()));
  if (length < 0) return std::nullopt;
  const auto padding = static_cast<std::size_t>(std::ranges::count(base64, '='));
  text.resize(static_cast<std::size_t>(length) - std::min(padding, static_cast<std::size_t>(length)));
  return text;
}

/// Every secret that is made here has the word `canary` in it: whoever looks for leaks has something to look for.
std::string new_secret(const char* kind) {
  std::random_device random;
  std::string text = std::string("canary-") + kind + "-";
  for (int i = 0; i < 4; ++i) {
    std::array<char, 9> part{};
    std::snprintf(part.data(), part.size(), "%08x", random());
    text += part.data();
  }
  return text;
}

struct Client {
  std::string id, secret;
  bool basic = false;
};

/// Who asks: by HTTP Basic or in the form, never both (RFC 6749 section 2.3).
std::optional<Refused> read_client(const http::Headers& headers, const Parameters& parameters, Client& client) {
  const std::string authorization = field(headers, "Authorization");
  client = {parameter(parameters, "client_id"), parameter(parameters, "client_secret")};
  if (authorization.empty()) return std::nullopt;
  if (!client.secret.empty()) return invalid_request("The client proves who it is in two ways");
  client.basic = true;
  const auto pair = authorization.starts_with("Basic ") ? decoded(authorization.substr(6)) : std::nullopt;
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos) return Refused{401, "invalid_client", "The Authorization cannot be read", true};
  const Parameters both = form("id=" + pair->substr(0, colon) + "&secret=" + pair->substr(colon + 1));
  client.id = parameter(both, "id");
  client.secret = parameter(both, "secret");
  return std::nullopt;
}

std::optional<Refused> objection_to_form(const ReceivedRequest& request, const Parameters& parameters) {
  if (request.method != "POST") return invalid_request("Only POST is taken");
  if (request.path.find('?') != std::string::npos)
    return invalid_request("Parameters stand in the body, not in the URL");
  if (!field(request.headers, "Content-Type").starts_with("application/x-www-form-urlencoded")) {
    return invalid_request("The body must be application/x-www-form-urlencoded");
  }
  for (const auto& [name, value] : parameters) {
    if (parameters.count(name) > 1) return invalid_request("A parameter stands there twice");
  }
  if (parameter(parameters, "grant_type").empty()) return invalid_request("grant_type is missing");
  return std::nullopt;
}

}  // namespace

TokenEndpoint::TokenEndpoint(const FakeServerOptions& options)
    : client_id_(options.client_id),
      client_secret_(options.client_secret),
      rotates_(options.rotate_refresh_tokens),
      lifetime_(options.access_token_lifetime) {
  access_tokens_[options.access_token] = {"test", Clock::time_point::max()};
  refresh_tokens_[options.refresh_token] = {"test", ++families_};
}

HttpAnswer TokenEndpoint::answer(const ReceivedRequest& request) {
  const std::lock_guard lock(mutex_);
  TokenGrant grant;
  HttpAnswer answer = rule(request, grant);
  requests_.push_back(std::move(grant));
  return answer;
}

HttpAnswer TokenEndpoint::rule(const ReceivedRequest& request, TokenGrant& grant) {
  const auto refuse = [&](const Refused& refused) {
    grant.error = refused.error;
    return answer_to(refused);
  };
  const Parameters parameters = form(request.body);
  grant.grant_type = parameter(parameters, "grant_type");
  if (const auto refused = objection_to_form(request, parameters)) return refuse(*refused);
  Client client;
  if (const auto refused = read_client(request.headers, parameters, client)) return refuse(*refused);
  grant.client_id = client.id;
  if (client.id != client_id_ || client.secret != client_secret_) {
    return refuse({401, "invalid_client", "The client is unknown, or its secret is wrong", client.basic});
  }
  if (grant.grant_type == "refresh_token") return refresh(grant, parameter(parameters, "refresh_token"));
  if (grant.grant_type != "client_credentials") {
    return refuse({400, "unsupported_grant_type", "Only client_credentials and refresh_token are taken"});
  }
  grant.account = client.id;
  return give(grant, {});
}

HttpAnswer TokenEndpoint::refresh(TokenGrant& grant, const std::string& refresh_token) {
  const auto refuse = [&](const Refused& refused) {
    grant.error = refused.error;
    return answer_to(refused);
  };
  if (refresh_token.empty()) return refuse(invalid_request("refresh_token is missing"));
  const auto found = refresh_tokens_.find(refresh_token);
  if (found == refresh_tokens_.end()) return refuse({400, "invalid_grant", "The refresh token is unknown"});
  Refresh& known = found->second;
  grant.account = known.account;
  if (known.spent) {
    ++reused_;
    revoke_family(known.family);
    return refuse({400, "invalid_grant", "The refresh token was replaced before"});
  }
  if (known.revoked) return refuse({400, "invalid_grant", "The refresh token was revoked"});
  if (!rotates_) return give(grant, {});
  known.spent = true;
  std::string next = new_secret("refresh");
  refresh_tokens_[next] = {known.account, known.family};
  return give(grant, next);
}

HttpAnswer TokenEndpoint::give(TokenGrant& grant, const std::string& refresh_token) {
  std::string access_token = new_secret("access");
  json body = {{"access_token", access_token},
               {"token_type", "Bearer"},
               {"expires_in", std::chrono::ceil<std::chrono::seconds>(lifetime_).count()}};
  if (!refresh_token.empty()) body["refresh_token"] = refresh_token;
  access_tokens_[std::move(access_token)] = {grant.account, Clock::now() + lifetime_};
  return {.status = 200, .body = body.dump(), .headers = {{"Cache-Control", "no-store"}}};
}

std::optional<std::string> TokenEndpoint::account_of(const std::string& access_token) const {
  const std::lock_guard lock(mutex_);
  const auto found = access_tokens_.find(access_token);
  if (found == access_tokens_.end() || Clock::now() >= found->second.ends) return std::nullopt;
  return found->second.account;
}

std::string TokenEndpoint::log_in(const std::string& account) {
  const std::lock_guard lock(mutex_);
  std::string token = new_secret("refresh");
  refresh_tokens_[token] = {account, ++families_};
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

void TokenEndpoint::access_token_lifetime(std::chrono::milliseconds lifetime) {
  const std::lock_guard lock(mutex_);
  lifetime_ = std::max(lifetime, std::chrono::milliseconds{1});
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
