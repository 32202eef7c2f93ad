#include <connectid/subscription/start_subscription.hpp>

#include "endpoints/endpoint.hpp"

namespace connectid::inline v0::detail {
namespace {

using Request = StartSubscriptionRequest;
using Response = StartSubscriptionResponse;

constexpr Field request[] = {
    field<&Request::company_code>("companyCode", {.longest = 12}),
    field<&Request::product>("product", {.required = true, .longest = 12}),
    field<&Request::start_time>("startTime", {.required = true}),
    field<&Request::end_time>("endTime", {.after = "startTime"}),
    field<&Request::copies>("copies", {.required = true, .least = 1, .may_be_text = true}),
    field<&Request::coupon_code>("couponCode", {.required = true, .longest = 12}),
    field<&Request::coupon_number>("couponNumber", {.required = true, .least = 0}),
    field<&Request::customer_reference>("customerReference", {.longest = 37}),
};

constexpr Field response[] = {field<&Response::status>("status")};

}  // namespace

extern constexpr Endpoint start_subscription{
    .title = "Start subscription",
    .method = "POST",
    .path = "/v1/subscription",
    .scope = Scope::customer,
    .idempotency = Idempotency::none,
    .confirmation = {.field = "status", .value = "OK", .may_be_empty = true},
    .request = Table::of<Request>(request),
    .response = Table::of<Response>(response),
};

const Endpoint& endpoint_of(const Request&) noexcept { return start_subscription; }

}  // namespace connectid::inline v0::detail

namespace connectid::inline v0 {

std::vector<Violation> validate(const StartSubscriptionRequest& request) {
  return detail::violations(detail::start_subscription, &request);
}

std::string to_json(const StartSubscriptionRequest& request, bool copies_as_text) {
  return detail::body(detail::start_subscription, &request, copies_as_text);
}

}  // namespace connectid::inline v0
