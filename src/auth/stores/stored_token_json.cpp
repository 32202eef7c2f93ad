#include "auth/stores/stored_token_json.hpp"

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
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

/// Moved, so that the parsed document keeps no copy. Whether it was there, and a text.
bool take(json& from, const char* name, std::string& to) {
  const auto field = from.find(name);
  if (field == from.end() || !field->is_string()) return false;
  to = std::move(field->get_ref<std::string&>());
  return true;
}

bool take(json& from, const char* name, Secret& to) {
  std::string text;
  const bool taken = take(from, name, text);
  to = std::move(text);
  return taken;
}

bool take(json& from, const char* name, Timestamp& to) {
  const auto field = from.find(name);
  if (field == from.end() || !field->is_number_unsigned()) return false;
  const auto value = field->get<std::uint64_t>();
  to = Timestamp{milliseconds{static_cast<std::int64_t>(value)}};
  return value <= static_cast<std::uint64_t>(count(last_time));
}

ReadToken damaged(std::string why) { return {.damage = std::move(why)}; }

ReadToken read_fields(json& from) {
  ReadToken read;
  auth::StoredToken& token = read.token;
  const bool complete = take(from, "account", read.account) && take(from, "access_token", token.access_token) &&
                        take(from, "obtained_at", token.obtained_at) && take(from, "expires_at", token.expires_at) &&
                        take(from, "refresh_token", token.refresh_token) && take(from, "api_url", token.api_url) &&
                        take(from, "login_url", token.login_url) && take(from, "client_id", token.client_id) &&
                        (!from.contains("refused") || take(from, "refused", token.refused));
  return complete ? std::move(read) : damaged("a field is missing or of another type");
}

}  // namespace

Result<void> can_be_kept(const std::string& account, const auth::StoredToken& token) {
  const auto refuse = [&](const std::string& why) {
    return Error(Outcome::not_sent, ConfigurationError{},
                 "account " + quoted_account(account) + " cannot be kept in a file: " + why);
  };
  for (const std::string_view text :
       std::initializer_list<std::string_view>{account, token.access_token.reveal(), token.refresh_token.reveal(),
                                               token.api_url, token.login_url, token.client_id, token.refused}) {
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
  if (!token.refused.empty()) object["refused"] = token.refused;
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
  const json version = from.value("connectid_token", json());
  if (!version.is_number_unsigned() || version < format) return damaged("it is not a token");
  if (version > format) return {.newer_format = true};
  return read_fields(from);
}

}  // namespace connectid::inline v0::detail
