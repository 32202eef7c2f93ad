#include <connectid/subscription/list_subscriptions.hpp>

#include "endpoints/endpoint.hpp"

namespace connectid::inline v0::detail {

static constexpr Field query[] = {field<&ListSubscriptionsRequest::subscription_source_fetch_mode>(
    "subscriptionSourceFetchMode", {.in = In::query, .one_of = "ORDINARY B2B ALL"})};
static constexpr Field price[] = {
    field<&PriceDetails::coupon_code>("couponCode"), field<&PriceDetails::coupon_number>("couponNumber"),
    field<&PriceDetails::promotion>("promotion"), field<&PriceDetails::promotion_category>("promotionCategory"),
    field<&PriceDetails::category_type>("categoryType")};
static constexpr Field one[] = {field<&Subscription::product>("product"),
                                field<&Subscription::stopped>("stopped"),
                                field<&Subscription::start_time>("startTime"),
                                field<&Subscription::end_time>("endTime"),
                                field<&Subscription::paid>("paid"),
                                field<&Subscription::price_details>("priceDetails", {.fields = price}),
                                field<&Subscription::shareable>("shareable"),
                                field<&Subscription::shareable>("sharable"),
                                field<&Subscription::share_type>("shareType"),
                                field<&Subscription::sales_person>("salesPerson")};
static constexpr Field all[] = {field<&ListSubscriptionsResponse::subscriptions>("subscriptions", {.fields = one})};

extern constexpr Endpoint list_subscriptions{.title = "List subscriptions",
                                             .method = "GET",
                                             .path = "/v1/subscription",
                                             .idempotency = Idempotency::safe,
                                             .confirmation = {.field = "subscriptions"},
                                             .request = Table::of<ListSubscriptionsRequest>(query),
                                             .response = Table::of<ListSubscriptionsResponse>(all)};
const Endpoint& endpoint_of(const ListSubscriptionsRequest&) noexcept { return list_subscriptions; }

}  // namespace connectid::inline v0::detail
