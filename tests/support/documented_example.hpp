#pragma once

#include <connectid/subscription/start_subscription.hpp>

namespace connectid {

/// The request that the API reference gives as its example.
inline const StartSubscriptionRequest documented_example{
    .company_code = "468979834",
    .product = "CO27409",
    .start_time = Timestamp{std::chrono::milliseconds{1560336440000}},
    .end_time = Timestamp{std::chrono::milliseconds{1591958840000}},
    .copies = 1,
    .coupon_code = "WMDigi",
    .coupon_number = 5223,
    .customer_reference = "cvxgds"};

}  // namespace connectid
