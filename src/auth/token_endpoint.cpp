#include "auth/token_endpoint.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/product.hpp"
#include "base/random.hpp"
#include "call/blocking_driver.hpp"
#include "call/call_id.hpp"
#include "http/form.hpp"
#include "http/url.hpp"

namespace connectid::inline v0::detail {
namespace {

using std::chrono::milliseconds;

std::string body_of(const auth::Credentials& credentials, const Secret& refresh_token) {
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  if (refresh_token.empty()) {
    parameters = {{"grant_type", "client_credentials"}};
  } else {
    parameters = {{"grant_type", "refresh_token"}, {"refresh_token", refresh_token.reveal()}};
  }
  const bool public_client = credentials.client_secret.empty();
  const bool in_body = credentials.client_authentication == auth::ClientAuthentication::body;
  if (in_body || public_client) parameters.emplace_back("client_id", credentials.client_id);
  if (in_body && !public_client) parameters.emplace_back("client_secret", credentials.client_secret.reveal());
  return form(parameters);
}

Secret authorization_of(const auth::Credentials& credentials) {
  const bool basic = credentials.client_authentication == auth::ClientAuthentication::basic;
  if (!basic || credentials.client_secret.empty()) return {};
  return basic_authorization(credentials.client_id, credentials.client_secret);
}

/// In every spelling in which they are sent, for a server echoes what it got.
std::vector<Secret> secrets_in(const auth::Credentials& credentials, const Secret& refresh_token,
                               const Secret& authorization) {
  std::vector<Secret> secrets;
  for (const Secret* secret : {&credentials.client_secret, &refresh_token}) {
    secrets.push_back(*secret);
    if (std::string encoded = form_encoded(secret->reveal()); encoded != secret->reveal()) {
      secrets.emplace_back(std::move(encoded));
    }
  }
  const std::string& basic = authorization.reveal();
  secrets.emplace_back(basic.substr(basic.find(' ') + 1));
  return secrets;
}

bool may_pass(const Error& error) {
  if (error.http_status() == 408 || error.http_status() == 499) return true;
  if (const auto* failure = error.get_if<TransportError>()) return failure->cause != Cause::certificate;
  switch (error.kind()) {
    case ErrorKind::rate_limited:
    case ErrorKind::server_error:
    case ErrorKind::deadline_exceeded:
    case ErrorKind::cancelled:
      return true;
    default:
      return false;
  }
}

/// What the client said of itself, where that may be why it was refused.
std::string client_says(const auth::Credentials& credentials, const TokenError& detail, bool refresh) {
  if (credentials.client_secret.empty())
    return refresh && detail.http_status != 0 ? "; no client secret was given" : "";
  if (detail.error != "invalid_client") return {};
  const bool basic = credentials.client_authentication == auth::ClientAuthentication::basic;
  return std::string("; the client secret was sent by ") +
         (basic ? "HTTP Basic, not in the body" : "the body, not by HTTP Basic") +
         ": make sure that it is right, and that the client may send it so";
}

/// A refresh token that is expired, unknown or revoked: the RFC's word, and Spring Security OAuth's.
bool is_dead(const std::string& error) { return error == "invalid_grant" || error == "invalid_token"; }

Error error_of(const Error& ended, const auth::Credentials& credentials, bool refresh, bool response_was_lost) {
  TokenError detail{.http_status = ended.http_status(), .temporary = may_pass(ended)};
  if (const ServerMessage* said = ended.server_message()) {
    detail.error = said->exception_type;
    detail.error_description = said->error_message;
  }
  detail.log_in_again = refresh && !detail.temporary && is_dead(detail.error);
  std::string message =
      "the authorization server " + token_url(credentials.environment) + " gave none: " + ended.message();
  message += client_says(credentials, detail, refresh);
  if (detail.log_in_again) {
    message += response_was_lost
                   ? "; the response to a request before was lost, and had replaced this refresh token: log in again"
                   : "; the refresh token was used, revoked or has expired: log in again";
  }
  return token_error(std::move(message), std::move(detail));
}

}  // namespace

bool needs_login(const Error& error) noexcept {
  const auto* detail = error.get_if<TokenError>();
  return detail && detail->log_in_again;
}

Result<void> check(const auth::Credentials& credentials) {
  const std::string api = parse_url(credentials.environment.api_url()).error;
  const std::string login = parse_url(credentials.environment.login_url()).error;
  if (!api.empty()) return token_error("the API URL " + api);
  if (!login.empty()) return token_error("the login URL " + login);
  if (credentials.client_id.empty()) return token_error("client_id is empty");
  return {};
}

std::string token_url(const Environment& environment) {
  return parse_url(environment.login_url()).text + "/oauth/token";
}

http::Request token_request(const auth::Credentials& credentials, const Secret& refresh_token,
                            const std::string& call_id) {
  return {.method = "POST",
          .url = token_url(credentials.environment),
          .headers = {{"Accept", "application/json"},
                      {"Content-Type", "application/x-www-form-urlencoded"},
                      {"User-Agent", product},
                      {"X-Request-Id", call_id}},
          .authorization = authorization_of(credentials),
          .body = body_of(credentials, refresh_token)};
}

TokenEndpointResult ask_token_endpoint(const TokenEndpointRequest& asked) {
  const auto& [credentials, refresh_token, response_was_lost, retry, timeout, budget, stop] = asked;
  const bool refresh = !refresh_token.empty();
  TokenEndpointResult result;
  const Now began = read_clocks();
  http::Request request = token_request(credentials, refresh_token, make_call_id(began.wall));
  // A slow authorization server is waited for where hanging up would lose a refresh token; else there is room for a
  // second try.
  const Timeouts timeouts{.attempt_timeout = refresh ? timeout : timeout / 2, .timeout = timeout};
  std::vector<Secret> secrets = secrets_in(credentials, refresh_token, request.authorization);
  Call call{.request = std::move(request),
            .read =
                [](std::string_view body) {
                  TokenResponse response = decode_token(body);
                  Reading reading = response.reading;
                  reading.value = std::move(response);
                  return reading;
                },
            .repeat = refresh ? Repeat::once : Repeat::freely,
            .may_have_acted_before = response_was_lost,
            .timeouts = timeouts,
            .retry = retry,
            .takes_token = false,
            .responses_are_secret = true,
            .secrets = std::move(secrets)};
  Limiter unlimited(RateLimit::off());  // the documented limits are the API's
  CircuitBreaker never(0);              // asking for tokens does no harm that it could spare anybody
  Exchange exchange(std::move(call), began);
  const TokenSource takes_none;
  Done done =
      run(exchange, {.token_source = takes_none,
                     .api_url = {},
                     .transport = *credentials.transport,
                     .journal = nullptr,  // it would write the secrets down
                     .shared = {.limiter = unlimited, .budget = budget, .breaker = never, .random = random_fraction},
                     .connect_timeout = timeouts.connect,
                     .stop = stop,
                     // A refresh that is broken off may have spent its token, and the new one would be lost.
                     .stop_ends_attempts = !refresh});
  if (auto* response = std::any_cast<TokenResponse>(&done.value)) result.response = std::move(*response);
  if (done.error) {
    const milliseconds named = done.error->retry_after().value_or(milliseconds{0});
    result.named_pause = std::min(named, retry.longest_named_pause);
    result.response_was_lost = response_was_lost || done.error->unknown_attempts() > 0;
    result.error = error_of(*done.error, credentials, refresh, result.response_was_lost);
  }
  return result;
}

}  // namespace connectid::inline v0::detail
