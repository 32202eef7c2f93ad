#include "auth/token_response.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/number.hpp"
#include "base/text.hpp"
#include "http/headers.hpp"

namespace connectid::inline v0::detail {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr seconds longest_life = std::chrono::hours{24 * 366};  // beyond, a clock could not count it

/// The field; null where it is absent or null.
json* find(json& body, const char* name) {
  const auto field = body.find(name);
  return field == body.end() || field->is_null() ? nullptr : &*field;
}

/// Moved, so that the parsed document keeps no copy.
Secret take_text(json* field) {
  return field && field->is_string() ? Secret(std::move(field->get_ref<std::string&>())) : Secret();
}

std::optional<double> number(const json& field) {
  if (field.is_number()) return field.get<double>();
  if (!field.is_string()) return std::nullopt;
  return number_in<double>(field.get_ref<const std::string&>());
}

std::string reason_against_type(const json* token_type) {
  if (!token_type) return {};  // RFC 6749 requires it; nothing is known of this authorization server
  const bool bearer =
      token_type->is_string() && equal_ignoring_case(token_type->get_ref<const std::string&>(), "bearer");
  return bearer ? "" : "has another token_type than Bearer";
}

std::string read_life(const json* expires_in, seconds& life) {
  if (!expires_in) return {};
  const std::optional<double> told = number(*expires_in);
  if (!told || !std::isfinite(*told) || *told < 0) return "has an expires_in that is no number of seconds from 0 on";
  life = *told < static_cast<double>(longest_life.count()) ? seconds{std::llround(std::floor(*told))} : longest_life;
  return {};
}

std::string reason_against_token(const Secret& token) {
  if (token.empty()) return "holds no access_token";
  return visible_ascii(token.reveal()) ? "" : "has an access_token that cannot stand in a header";
}

}  // namespace

TokenResponse decode_token(std::string_view body) {
  TokenResponse response;
  json parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  const bool to_its_end = body.find('\0') == std::string_view::npos;  // nlohmann/json stops reading there
  if (parsed.is_discarded() || !to_its_end) {
    response.reading.reason = "is not JSON";
    return response;
  }
  response.reading.whole_json = true;
  if (!parsed.is_object()) {
    response.reading.reason = "is JSON but not an object";
    return response;
  }
  response.access_token = take_text(find(parsed, "access_token"));
  response.refresh_token = take_text(find(parsed, "refresh_token"));
  std::string& reason = response.reading.reason;
  if (find(parsed, "error")) reason = "holds error";
  if (reason.empty()) reason = reason_against_token(response.access_token);
  if (reason.empty()) reason = reason_against_type(find(parsed, "token_type"));
  if (reason.empty()) reason = read_life(find(parsed, "expires_in"), response.expires_in);
  // To ask again for what is here already could spend the refresh token that it holds.
  response.reading.enough = reason.empty();
  return response;
}

}  // namespace connectid::inline v0::detail
