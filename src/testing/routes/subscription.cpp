#include "testing/routes/subscription.hpp"

#include <connectid/subscription/list_subscriptions.hpp>
#include <nlohmann/json.hpp>

namespace connectid::inline v0::testing::detail {
namespace {

using nlohmann::json;

json listed(const StartSubscriptionRequest& started) {
  json item = {{"product", started.product},
               {"stopped", false},
               {"startTime", started.start_time->time_since_epoch().count()},
               {"paid", true},
               {"priceDetails", {{"couponCode", started.coupon_code}, {"couponNumber", *started.coupon_number}}},
               {"shareable", false}};
  if (started.end_time) item["endTime"] = started.end_time->time_since_epoch().count();
  return item;
}

}  // namespace

Ruling act(const connectid::detail::Endpoint& endpoint, const void* request, const Caller& caller,
           const Started& started) {
  using connectid::detail::endpoint_of;
  if (&endpoint == &endpoint_of(StartSubscriptionRequest())) {
    return {{.status = 200, .body = R"({"status":"OK"})"},
            StartedSubscription{.request = *static_cast<const StartSubscriptionRequest*>(request),
                                .call_id = caller.call_id,
                                .account = caller.account}};
  }
  const auto& [field, value, may_be_empty] = endpoint.confirmation;
  json body = {{std::string(field), value.empty() ? json::array() : json(std::string(value))}};
  if (&endpoint == &endpoint_of(ListSubscriptionsRequest())) {
    for (const StartedSubscription& one : started()) {
      if (one.account == caller.account) body[std::string(field)].push_back(listed(one.request));
    }
  }
  return {{.status = 200, .body = body.dump()}};
}

}  // namespace connectid::inline v0::testing::detail
