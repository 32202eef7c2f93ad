#include "testing/routes/authorization_request.hpp"

#include <array>

#include "testing/openssl.hpp"
#include "testing/routes/form.hpp"

namespace connectid::inline v0::testing::detail {
namespace {

std::string reason_against(const Parameters& query) {
  const std::string response_type = value_of(query, "response_type");
  if (has_one_twice(query) || response_type.empty()) return "invalid_request";
  if (response_type != "code") return "unsupported_response_type";
  const bool challenged = !value_of(query, "code_challenge").empty();
  return challenged && value_of(query, "code_challenge_method") != "S256" ? "invalid_request" : "";
}

/// SHA-256 in base64url without padding.
std::string s256(const std::string& code_verifier) {
  std::array<unsigned char, 32> hash{};
  openssl_must(EVP_Digest(code_verifier.data(), code_verifier.size(), hash.data(), nullptr, EVP_sha256(), nullptr) == 1,
               "SHA-256");
  std::array<unsigned char, 45> base64{};  // 43 characters, one of padding, and a zero
  EVP_EncodeBlock(base64.data(), hash.data(), static_cast<int>(hash.size()));
  std::string text(base64.begin(), base64.begin() + 43);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

}  // namespace

AuthorizationRequest read_authorization_request(const ReceivedRequest& request) {
  const auto query = request.method == "GET" ? read_form(split(request.path, '?').second) : std::nullopt;
  if (!query || query->count("client_id") != 1 || query->count("redirect_uri") != 1) return {};
  return {.client_id = value_of(*query, "client_id"),
          .redirect_uri = value_of(*query, "redirect_uri"),
          .state = value_of(*query, "state"),
          .code_challenge = value_of(*query, "code_challenge"),
          .error = reason_against(*query)};
}

Script::HttpResponse redirect(const AuthorizationRequest& asked, std::string_view name, std::string_view value) {
  std::string location = asked.redirect_uri;
  location += location.find('?') == std::string::npos ? '?' : '&';
  location.append(name).append("=").append(form_encoded(value));
  if (!asked.state.empty()) location.append("&state=").append(form_encoded(asked.state));
  return {.status = 302, .headers = {{"Location", location}, {"Cache-Control", "no-store"}}};
}

bool proves(const std::string& code_verifier, const std::string& code_challenge) {
  return code_challenge.empty() ? code_verifier.empty() : s256(code_verifier) == code_challenge;
}

}  // namespace connectid::inline v0::testing::detail
