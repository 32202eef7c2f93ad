#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <connectid/call_info.hpp>
#include <connectid/error.hpp>
#include <connectid/export.hpp>
#include <connectid/timestamp.hpp>

namespace connectid::inline v0 {

/// *Start subscription* (`POST /v1/subscription`). Fill it with designated initialisers. Lengths count Unicode code
/// points of UTF-8 text; an empty string is a field not given. What is required, and how long a text may be, stands in
/// the reference's table of this endpoint; the other limits are the SDK's own, to catch slips (docs/api-facts.md).
struct StartSubscriptionRequest {
  std::string company_code = {};                             ///< `companyCode`: optional, at most 12
  std::string product = {};                                  ///< `product`: required, at most 12
  std::optional<Timestamp> start_time = std::nullopt;        ///< `startTime`: required, in the years 2000 to 2199
  std::optional<Timestamp> end_time = std::nullopt;          ///< `endTime`: optional, likewise, after start_time
  std::optional<std::int64_t> copies = std::nullopt;         ///< `copies`: required, 1 or more
  std::string coupon_code = {};                              ///< `couponCode`: required, at most 12
  std::optional<std::int64_t> coupon_number = std::nullopt;  ///< `couponNumber`: required, 0 or more
  std::string customer_reference = {};                       ///< `customerReference`: optional, at most 37, a UUID, say
};

/// The server said that the subscription was started.
struct StartSubscriptionResponse {
  std::optional<std::string> status =
      std::nullopt;    ///< `OK`, where the response says so: the reference does not require it
  CallInfo call = {};  ///< when, under which id, and how long it took
};

/// Every rule that the request breaks, in the order of its fields; empty: it may be sent. Pure; asks no server.
/// Thread-safe. `SubscriptionClient::start` calls it first.
[[nodiscard]] CONNECTID_API std::vector<Violation> validate(const StartSubscriptionRequest& request);

/// The exact body that `SubscriptionClient::start` sends: JSON, fields in the reference's order, those not given left
/// out. `copies_as_text`: as in ClientOptions. Never fails: bytes that are not UTF-8 (which `validate` refuses) become
/// U+FFFD.
[[nodiscard]] CONNECTID_API std::string to_json(const StartSubscriptionRequest& request, bool copies_as_text = false);

namespace detail {
CONNECTID_API const Endpoint& endpoint_of(const StartSubscriptionRequest& request) noexcept;
}
}  // namespace connectid::inline v0
