#pragma once

#include <vector>

#include <connectid/call_info.hpp>
#include <connectid/export.hpp>

namespace connectid::inline v0 {

/// *List subscriptions* (`GET /v1/subscription`).
struct ListSubscriptionsRequest {
  std::string subscription_source_fetch_mode = {};  ///< `ORDINARY` (where empty), `B2B` (received from firms) or `ALL`
};

/// What a subscription was bought with. Here and below: what the server leaves out is empty.
struct PriceDetails {
  std::string coupon_code = {}, promotion = {}, promotion_category = {}, category_type = {};
  std::optional<std::int64_t> coupon_number = std::nullopt;
};
/// One subscription of the customer's.
struct Subscription {
  std::string product = {}, share_type = {}, sales_person = {};
  std::optional<bool> stopped = std::nullopt, paid = std::nullopt, shareable = std::nullopt;
  std::optional<Timestamp> start_time = std::nullopt, end_time = std::nullopt;
  std::optional<PriceDetails> price_details = std::nullopt;
};
/// All of them, perhaps none.
struct ListSubscriptionsResponse {
  std::vector<Subscription> subscriptions = {};
  CallInfo call = {};  ///< when, under which id, and how long it took
};

namespace detail {
struct Endpoint;
CONNECTID_API const Endpoint& endpoint_of(const ListSubscriptionsRequest& request) noexcept;
}
}  // namespace connectid::inline v0
