#include "input/request.hpp"

#include <cctz/time_zone.h>

#include <algorithm>
#include <charconv>
#include <connectid/local_time.hpp>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "input/text.hpp"

namespace connectid::cli {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

std::int64_t whole_number(const std::string& what, const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) throw UsageError(what + " is a number that is too large: " + text);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    throw UsageError(what + " takes a whole number, not \"" + text + "\"");
  }
  return number;
}

std::optional<Timestamp> parsed(const std::string& text, const char* form) {
  Timestamp read;
  if (!cctz::parse(form, text, cctz::utc_time_zone(), &read)) return std::nullopt;
  return read;
}

/// ISO 8601, which CCTZ reads more leniently than a purchase should be.
Timestamp iso_time(const std::string& what, const std::string& text) {
  static const std::regex shape(R"((\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:[0-5]\d(\.\d+)?)?(Z|([+-]\d{2})(:?(\d{2}))?)?)?)");
  const auto refuse = [&](const std::string& why) { return UsageError(what + why + " \"" + text + "\""); };
  const std::string wanted = " takes epoch milliseconds or ISO 8601 such as 2026-04-01T00:00:00+02:00, not";
  std::smatch parts;
  if (!std::regex_match(text, parts, shape)) throw refuse(wanted);
  const std::string zone = parts[5];
  const std::string hours = parts[6];
  const std::string minutes = parts[8].matched ? parts[8].str() : "00";
  if (zone.empty()) {
    throw refuse(" needs a zone: add one, as in 2026-04-01T00:00:00+02:00, or use --start-date:");
  }
  if (zone != "Z" && (hours.substr(1) > "14" || minutes > "59")) throw refuse(" has an offset that no zone has:");
  const std::string clock = text.substr(0, text.size() - zone.size()) + (parts[3].matched ? "" : ":00");
  const auto read = parsed(clock + (zone == "Z" ? zone : hours + ":" + minutes), "%E4Y-%m-%dT%H:%M:%E*S%Ez");
  if (!read) throw refuse(wanted);
  return *read;
}

/// Epoch milliseconds, or ISO 8601 with `Z` or an offset.
Timestamp time(const std::string& what, const std::string& text) {
  constexpr std::size_t longest = 64;  // a regex needs stack for each character, and an argument can have 128 KiB
  if (text.size() > longest) throw UsageError(what + " is too long to be a time");
  static const std::regex number("-?\\d+");
  return std::regex_match(text, number) ? Timestamp{milliseconds{whole_number(what, text)}} : iso_time(what, text);
}

std::chrono::year_month_day day(const std::string& what, const std::string& text) {
  static const std::regex shape(R"(\d{4}-\d{2}-\d{2})");
  const auto read = std::regex_match(text, shape) ? parsed(text, "%E4Y-%m-%d") : std::nullopt;
  if (!read) throw UsageError(what + " takes a date such as 2026-04-01, not \"" + text + "\"");
  return std::chrono::floor<std::chrono::days>(*read);
}

template <typename T>
T known(const std::string& what, const Result<T>& result) {
  if (!result) throw UsageError(what + ": " + result.error().message());
  return *result;
}

// ---- JSON

std::string text_in(const std::string& field, const json& value) {
  if (!value.is_string()) throw UsageError("the JSON field " + field + " must be a text");
  return value.get<std::string>();
}

std::int64_t number_in(const std::string& field, const json& value) {
  const bool too_large = value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX;
  if (!value.is_number_integer() || too_large) throw UsageError("the JSON field " + field + " must be a whole number");
  return value.get<std::int64_t>();
}

struct JsonField {
  const char* name;
  void (*take)(StartSubscriptionRequest& to, const std::string& name, const json& value);
};

constexpr JsonField json_fields[] = {
    {"companyCode", [](auto& to, auto& name, auto& value) { to.company_code = text_in(name, value); }},
    {"product", [](auto& to, auto& name, auto& value) { to.product = text_in(name, value); }},
    {"startTime",
     [](auto& to, auto& name, auto& value) { to.start_time = Timestamp{milliseconds{number_in(name, value)}}; }},
    {"endTime",
     [](auto& to, auto& name, auto& value) { to.end_time = Timestamp{milliseconds{number_in(name, value)}}; }},
    {"copies",
     [](auto& to, auto& name, auto& value) {  // the reference's table says integer, its example is a text
       to.copies = value.is_string() ? whole_number("the JSON field copies", value.template get<std::string>())
                                     : number_in(name, value);
     }},
    {"couponCode", [](auto& to, auto& name, auto& value) { to.coupon_code = text_in(name, value); }},
    {"couponNumber", [](auto& to, auto& name, auto& value) { to.coupon_number = number_in(name, value); }},
    {"customerReference", [](auto& to, auto& name, auto& value) { to.customer_reference = text_in(name, value); }},
};

json parse_json(const std::string& text) {
  const auto broken = [](std::size_t byte) { return UsageError("the JSON is broken at byte " + std::to_string(byte)); };
  // nlohmann/json takes it for the end, whatever stands behind it.
  if (const std::size_t null = text.find('\0'); null != std::string::npos) throw broken(null + 1);
  std::set<std::string> seen;
  const auto once = [&](int depth, json::parse_event_t event, json& parsed) {
    const bool key = depth == 1 && event == json::parse_event_t::key;
    if (key && !seen.insert(parsed.get<std::string>()).second) {
      throw UsageError("the JSON field " + parsed.get<std::string>() + " appears twice");
    }
    return true;
  };
  try {
    json parsed = json::parse(text, once);
    if (!parsed.is_object()) throw UsageError(R"(the JSON must be one object such as {"product":"CO27409", ...})");
    return parsed;
  } catch (const json::parse_error& error) {
    throw broken(error.byte);
  } catch (const json::out_of_range&) {
    throw UsageError("the JSON holds a number that is too large");
  }
}

StartSubscriptionRequest from_json(const std::string& text) {
  StartSubscriptionRequest request;
  const json parsed = parse_json(text);
  for (const auto& [name, value] : parsed.items()) {
    const auto* field = std::find_if(std::begin(json_fields), std::end(json_fields),
                                     [&given = name](const JsonField& one) { return given == one.name; });
    if (field == std::end(json_fields)) throw UsageError("the JSON has an unknown field: \"" + name + "\"");
    if (!value.is_null()) field->take(request, name, value);
  }
  return request;
}

// ---- flags

void take_times(StartSubscriptionRequest& to, const RequestArguments& from) {
  const std::string zone = from.zone.value_or(std::string(norwegian_zone));
  // Checked even where no date needs it: the report names the times in that zone.
  if (from.zone) static_cast<void>(known("--zone", local_clock(Timestamp{}, zone)));
  if (from.start_time) to.start_time = time("--start-time", *from.start_time);
  if (from.end_time) to.end_time = time("--end-time", *from.end_time);
  if (from.start_date) {
    to.start_time = known("--start-date", local_midnight(day("--start-date", *from.start_date), zone));
  }
  if (from.end_date) to.end_time = known("--end-date", local_day_end(day("--end-date", *from.end_date), zone));
}

void take_flags(StartSubscriptionRequest& to, const RequestArguments& from) {
  if (from.company_code) to.company_code = *from.company_code;
  if (from.product) to.product = *from.product;
  take_times(to, from);
  if (from.copies) to.copies = whole_number("--copies", *from.copies);
  if (from.coupon_code) to.coupon_code = *from.coupon_code;
  if (from.coupon_number) to.coupon_number = whole_number("--coupon-number", *from.coupon_number);
  if (from.customer_reference) to.customer_reference = *from.customer_reference;
}

}  // namespace

void add_request(CLI::App& command, RequestArguments& to) {
  const std::string time = ": epoch milliseconds, or ISO 8601 with Z or an offset";
  add(command, {"--json", "FILE", "Read the fields from this JSON file (-: standard input); flags win"}, to.json_file);
  add(command, {"--company-code", "TEXT", "companyCode: at most 12 characters"}, to.company_code);
  add(command, {"--product", "TEXT", "product: 1 to 12 characters"}, to.product);
  add(command, {"--start-time", "TIME", "startTime" + time}, to.start_time);
  add(command, {"--end-time", "TIME", "endTime" + time}, to.end_time);
  add(command, {"--start-date", "YYYY-MM-DD", "startTime: 00:00 of this day in --zone", {}, "--start-time"},
      to.start_date);
  add(command, {"--end-date", "YYYY-MM-DD", "endTime: 23:59:59 of this day in --zone", {}, "--end-time"}, to.end_date);
  add(command, {"--zone", "ZONE", "Time zone of the dates, an IANA name", std::string(norwegian_zone)}, to.zone);
  add(command, {"--copies", "NUMBER", "copies: 1 or more"}, to.copies);
  add(command, {"--coupon-code", "TEXT", "couponCode: 1 to 12 characters"}, to.coupon_code);
  add(command, {"--coupon-number", "NUMBER", "couponNumber: 0 or more"}, to.coupon_number);
  add(command, {"--customer-reference", "TEXT", "customerReference: at most 37 characters"}, to.customer_reference);
  add_switch(command, "--copies-as-text", "Send copies as \"1\", as the API reference's example does",
             to.copies_as_text);
}

std::optional<StartSubscriptionRequest> read_request(const RequestArguments& from, const std::stop_token& stop) {
  StartSubscriptionRequest request;
  if (from.json_file) {
    const std::optional<std::string> text = read_input(*from.json_file, stop);
    if (!text) return std::nullopt;
    request = from_json(*text);
  }
  take_flags(request, from);
  return request;
}

}  // namespace connectid::cli
