#include "auth/stores/stored_token_json.hpp"

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "auth/stores/stores.hpp"
#include "base/text.hpp"

namespace connectid::inline v0::detail {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr unsigned format = 1;

// Beyond, the time between two could not be counted; and only damage goes there.
constexpr Timestamp last_time{milliseconds{253'402'300'799'999}};  // 9999-12-31T23:59:59.999Z

bool can_be_kept(Timestamp time) { return time >= Timestamp{} && time <= last_time; }

std::int64_t count(Timestamp time) { return time.time_since_epoch().count(); }

json* find(json& from, const char* name) {
  const auto field = from.find(name);
  return field == from.end() ? nullptr : &*field;
}

/// Moved, so that the parsed document keeps no copy.
std::optional<Secret> take_text(json& from, const char* name) {
  json* const field = find(from, name);
  if (!field || !field->is_string()) return std::nullopt;
  return Secret(std::move(field->get_ref<std::string&>()));
}

std::optional<Timestamp> time_of(json& from, const char* name) {
  const json* const field = find(from, name);
  if (!field || !field->is_number_unsigned()) return std::nullopt;
  const auto value = field->get<std::uint64_t>();
  if (value > static_cast<std::uint64_t>(count(last_time))) return std::nullopt;
  return Timestamp{milliseconds{static_cast<std::int64_t>(value)}};
}

ReadToken damaged(std::string why) { return {.damage = std::move(why)}; }

ReadToken read_fields(json& from) {
  const auto account = take_text(from, "account");
  auto access_token = take_text(from, "access_token");
  const auto obtained_at = time_of(from, "obtained_at");
  const auto expires_at = time_of(from, "expires_at");
  auto refresh_token = take_text(from, "refresh_token");
  const auto api_url = take_text(from, "api_url");
  const auto login_url = take_text(from, "login_url");
  const auto client_id = take_text(from, "client_id");
  const bool complete =
      account && access_token && obtained_at && expires_at && refresh_token && api_url && login_url && client_id;
  if (!complete) return damaged("a field is missing or of another type");
  ReadToken read{.account = account->reveal(),
                 .token = {.access_token = *std::move(access_token),
                           .obtained_at = *obtained_at,
                           .expires_at = *expires_at,
                           .refresh_token = *std::move(refresh_token),
                           .api_url = api_url->reveal(),
                           .login_url = login_url->reveal(),
                           .client_id = client_id->reveal()}};
  return read;
}

}  // namespace

Result<void> can_be_kept(const std::string& account, const auth::StoredToken& token) {
  const auto refuse = [&](const std::string& why) {
    return Error(Outcome::not_sent, ConfigurationError{},
                 "account " + quoted_account(account) + " cannot be kept in a file: " + why);
  };
  for (const std::string_view text :
       std::initializer_list<std::string_view>{account, token.access_token.reveal(), token.refresh_token.reveal(),
                                               token.api_url, token.login_url, token.client_id}) {
    if (!is_utf8(text)) return refuse("the account's name, or a text of its token, is not UTF-8");
  }
  const bool times = can_be_kept(token.obtained_at) && can_be_kept(token.expires_at);
  if (!times) return refuse("a time of its token is before 1970 or beyond the year 9999");
  return {};
}

Secret stored_token_json(const std::string& account, const auth::StoredToken& token) {
  ordered_json object{{"connectid_token", format},
                      {"account", account},
                      {"access_token", token.access_token.reveal()},
                      {"obtained_at", count(token.obtained_at)},
                      {"expires_at", count(token.expires_at)},
                      {"refresh_token", token.refresh_token.reveal()},
                      {"api_url", token.api_url},
                      {"login_url", token.login_url},
                      {"client_id", token.client_id}};
  Secret text(object.dump() + '\n');
  for (const char* name : {"access_token", "refresh_token"}) {
    const Secret wiped(std::move(object[name].get_ref<std::string&>()));
  }
  return text;
}

ReadToken read_stored_token(std::string_view text) {
  json from = json::parse(text, nullptr, /*allow_exceptions=*/false);
  const bool to_its_end = text.find('\0') == std::string_view::npos;  // nlohmann/json stops reading there
  if (!from.is_object() || !to_its_end) return damaged("it is not a JSON object");
  const json* const version = find(from, "connectid_token");
  if (!version || !version->is_number_unsigned() || *version < format) return damaged("it is not a token");
  if (*version > format) return {.newer_format = true};
  return read_fields(from);
}

}  // namespace connectid::inline v0::detail
