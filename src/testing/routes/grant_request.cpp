#include "testing/routes/grant_request.hpp"

#include <openssl/evp.h>

#include <string_view>
#include <utility>

#include "testing/routes/form.hpp"

namespace connectid::inline v0::testing::detail {
namespace {

OAuthError invalid_request(std::string description) { return {400, "invalid_request", std::move(description)}; }

/// ASCII alone: the names of media types and of schemes have nothing else.
std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

bool holds_a_form(const ReceivedRequest& request) {
  const std::string content_type = field_of(request.headers, "Content-Type");
  std::string_view media_type = split(content_type, ';').first;
  while (media_type.ends_with(' ')) media_type.remove_suffix(1);
  return lower(media_type) == "application/x-www-form-urlencoded";
}

std::optional<std::string> base64_decoded(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(length));
  for (; text.ends_with('=') && !bytes.empty(); text.remove_suffix(1)) bytes.pop_back();  // OpenSSL counts the padding
  return bytes;
}

/// What is in `Authorization: Basic …`: id and secret are form-encoded first (RFC 6749 section 2.3.1).
std::optional<Client> basic_client(std::string_view authorization) {
  const auto [scheme, base64] = split(authorization, ' ');
  const auto pair = lower(scheme) == "basic" ? base64_decoded(base64) : std::nullopt;
  if (!pair || pair->find(':') == std::string::npos) return std::nullopt;
  const auto [id, secret] = split(*pair, ':');
  auto decoded_id = form_decoded(id);
  auto decoded_secret = form_decoded(secret);
  if (!decoded_id || !decoded_secret) return std::nullopt;
  return Client{.id = *std::move(decoded_id), .secret = *std::move(decoded_secret), .basic = true};
}

std::optional<OAuthError> read_client(const std::string& authorization, const Parameters& parameters, Client& client) {
  client = {.id = value_of(parameters, "client_id"), .secret = value_of(parameters, "client_secret")};
  if (authorization.empty()) return std::nullopt;
  const Client in_form = std::exchange(client, basic_client(authorization).value_or(Client{.basic = true}));
  if (client.id.empty()) {
    return OAuthError{401, "invalid_client", "The Authorization is no client's by HTTP Basic", basic_challenge};
  }
  if (!in_form.secret.empty()) return invalid_request("The client proves who it is by HTTP Basic and in the form");
  if (!in_form.id.empty() && in_form.id != client.id) return invalid_request("The form's client_id is another's");
  return std::nullopt;
}

std::optional<OAuthError> reason_against_grant(const GrantRequest& asked) {
  if (asked.grant_type.empty()) return invalid_request("grant_type is missing");
  if (asked.grant_type == "client_credentials") return std::nullopt;
  if (asked.grant_type == "refresh_token") {
    return asked.refresh_token.empty() ? std::optional(invalid_request("refresh_token is missing")) : std::nullopt;
  }
  if (asked.grant_type == "authorization_code") {
    return asked.code.empty() ? std::optional(invalid_request("code is missing")) : std::nullopt;
  }
  return OAuthError{400, "unsupported_grant_type",
                    "Only client_credentials, refresh_token and authorization_code are taken"};
}

}  // namespace

GrantRequest read_grant_request(const ReceivedRequest& request) {
  if (request.method != "POST") return {.error = invalid_request("Only POST is taken")};
  // They would stand in the logs of everybody on the way.
  if (request.path.find('?') != std::string::npos) return {.error = invalid_request("The URL has parameters")};
  if (!holds_a_form(request)) return {.error = invalid_request("No application/x-www-form-urlencoded")};
  const auto parameters = read_form(request.body);
  if (!parameters) return {.error = invalid_request("The form cannot be read")};
  GrantRequest asked{.grant_type = value_of(*parameters, "grant_type"),
                     .refresh_token = value_of(*parameters, "refresh_token"),
                     .code = value_of(*parameters, "code"),
                     .redirect_uri = value_of(*parameters, "redirect_uri"),
                     .code_verifier = value_of(*parameters, "code_verifier")};
  asked.error = read_client(field_of(request.headers, "Authorization"), *parameters, asked.client);
  if (has_one_twice(*parameters)) asked.error = invalid_request("A parameter stands in the form twice");
  if (!asked.error) asked.error = reason_against_grant(asked);
  return asked;
}

}  // namespace connectid::inline v0::testing::detail
