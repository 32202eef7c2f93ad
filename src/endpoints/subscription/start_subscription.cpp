#include "endpoints/subscription/start_subscription.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

using nlohmann::json;
using nlohmann::ordered_json;

std::string connectid::to_json(const StartSubscriptionRequest& request, bool copies_as_text) {
  ordered_json out = ordered_json::object();
  out.get_ref<ordered_json::object_t&>().reserve(8);
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) out[name] = value;
  };
  const auto time = [&](const char* name, std::optional<Timestamp> value) {
    if (value) out[name] = value->time_since_epoch().count();
  };
  text("companyCode", request.company_code);
  text("product", request.product);
  time("startTime", request.start_time);
  time("endTime", request.end_time);
  if (request.copies && copies_as_text) out["copies"] = std::to_string(*request.copies);
  if (request.copies && !copies_as_text) out["copies"] = *request.copies;
  text("couponCode", request.coupon_code);
  if (request.coupon_number) out["couponNumber"] = *request.coupon_number;
  text("customerReference", request.customer_reference);
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

namespace connectid::inline v0::detail {
namespace {

/// The fields that decide. One that stands twice leaves open which is meant (RFC 8259 section 4).
constexpr std::array<std::string_view, 5> deciding = {"status", "exceptionType", "errorMessage", "error", "success"};

std::string reason_against(const json& body) {
  if (!body.is_object()) return "is JSON but not an object";
  for (const char* name : {"exceptionType", "errorMessage", "error"}) {
    if (const auto field = body.find(name); field != body.end() && !field->is_null()) {
      return std::string("holds ") + name;
    }
  }
  if (const auto success = body.find("success"); success != body.end() && !success->is_null() && *success != true) {
    return "has another success than true";
  }
  if (const auto status = body.find("status"); status != body.end() && !status->is_null() && *status != "OK") {
    return "has another status than OK";
  }
  return {};
}

}  // namespace

DecodedStart decode_start_subscription(std::string_view body) {
  DecodedStart decoded;
  if (body.empty()) return decoded;
  std::array<int, deciding.size()> seen{};
  const auto count = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth == 1 && event == json::parse_event_t::key) {
      const auto at = std::ranges::find(deciding, parsed.get_ref<const std::string&>());
      if (at != deciding.end()) ++seen[static_cast<std::size_t>(at - deciding.begin())];
    }
    return true;
  };
  const json parsed = json::parse(body, count, /*allow_exceptions=*/false);
  const bool to_its_end = body.find('\0') == std::string_view::npos;  // nlohmann/json stops reading there
  if (parsed.is_discarded() || !to_its_end) {
    decoded.reading.reason = "is not JSON";
    return decoded;
  }
  decoded.reading = {.whole_json = true, .reason = reason_against(parsed)};
  if (std::ranges::any_of(seen, [](int times) { return times > 1; })) {
    decoded.reading.reason = "holds a field that decides twice";
  }
  if (parsed.is_object() && parsed.contains("status") && parsed["status"].is_string()) {
    decoded.response.status = parsed["status"].get<std::string>();
  }
  return decoded;
}

}  // namespace connectid::inline v0::detail
