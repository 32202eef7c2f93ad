#pragma once

#include <connectid/call_info.hpp>
#include <connectid/export.hpp>
#include <vector>

namespace connectid::inline v0 {

/// *List subscriptions* (`GET /v1/subscription`).
struct ListSubscriptionsRequest {
  std::string subscription_source_fetch_mode = {};  ///< `ORDINARY` (where empty), `B2B` (received from firms) or `ALL`
};
/// What a subscription was bought with. Here and below: what the server leaves out is empty.
struct PriceDetails {
  std::string coupon_code = {};                              ///< `couponCode`
  std::optional<std::int64_t> coupon_number = std::nullopt;  ///< `couponNumber`
  std::string promotion = {};                                ///< `promotion`
  std::string promotion_category = {};                       ///< `promotionCategory`
  std::string category_type = {};                            ///< `categoryType`
};
/// One subscription of the customer's.
struct Subscription {
  std::string product = {};                                  ///< `product`
  std::optional<bool> stopped = std::nullopt;                ///< `stopped`
  std::optional<Timestamp> start_time = std::nullopt;        ///< `startTime`
  std::optional<Timestamp> end_time = std::nullopt;          ///< `endTime`
  std::optional<bool> paid = std::nullopt;                   ///< `paid`
  std::optional<PriceDetails> price_details = std::nullopt;  ///< `priceDetails`
  std::optional<bool> shareable = std::nullopt;              ///< `shareable`
  std::string share_type = {};                               ///< `shareType`: `Nets`
  std::string sales_person = {};                             ///< `salesPerson`
};
/// All of them, perhaps none.
struct ListSubscriptionsResponse {
  std::vector<Subscription> subscriptions = {};  ///< in the server's order
  CallInfo call = {};                            ///< when, under which id, and how long it took
};
namespace detail {
CONNECTID_API const Endpoint& endpoint_of(const ListSubscriptionsRequest& request) noexcept;
}
}  // namespace connectid::inline v0
