// What a request is beside its JSON.
#pragma once

#include <connectid/subscription/start_subscription.hpp>

#include "support/fuzzing.hpp"

namespace connectid::fuzz {

inline bool same(const StartSubscriptionRequest& a, const StartSubscriptionRequest& b) {
  const auto fields = [](const StartSubscriptionRequest& one) {
    return std::tie(one.company_code, one.product, one.start_time, one.end_time, one.copies, one.coupon_code,
                    one.coupon_number, one.customer_reference);
  };
  return fields(a) == fields(b);
}

/// A request's fields, taken out of its JSON by other code than the library's and the program's own.
inline StartSubscriptionRequest fields_of(const nlohmann::json& from) {
  const auto text = [&](const char* name) { return from.contains(name) ? from[name].get<std::string>() : ""; };
  const auto number = [&](const char* name) -> std::optional<std::int64_t> {
    if (!from.contains(name)) return std::nullopt;
    return from[name].is_string() ? std::stoll(from[name].get<std::string>()) : from[name].get<std::int64_t>();
  };
  const auto time = [&](const char* name) -> std::optional<Timestamp> {
    if (!from.contains(name)) return std::nullopt;
    return Timestamp{std::chrono::milliseconds{*number(name)}};
  };
  return {.company_code = text("companyCode"),
          .product = text("product"),
          .start_time = time("startTime"),
          .end_time = time("endTime"),
          .copies = number("copies"),
          .coupon_code = text("couponCode"),
          .coupon_number = number("couponNumber"),
          .customer_reference = text("customerReference")};
}

/// The rules are kept, or told of in words that can be shown; and what is sent is what was asked for.
inline void check_request(const StartSubscriptionRequest& request) {
  const std::vector<Violation> violations = validate(request);
  for (const Violation& violation : violations) {
    require(!violation.field.empty() && !violation.rule.empty() && is_printable(violation.message),
            "a violation has a field, a rule and a printable message");
  }
  for (const bool copies_as_text : {false, true}) {
    const nlohmann::json sent = nlohmann::json::parse(to_json(request, copies_as_text), nullptr, false);
    require(sent.is_object(), "what is sent is JSON, whatever the request holds");
    require(!violations.empty() || same(fields_of(sent), request), "what is sent is what was asked for");
    require(!request.copies || sent["copies"].is_string() == copies_as_text, "copies are a text where that is asked");
  }
}

}  // namespace connectid::fuzz
