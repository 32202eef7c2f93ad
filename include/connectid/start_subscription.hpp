#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <connectid/call.hpp>
#include <connectid/error.hpp>
#include <connectid/export.hpp>
#include <connectid/timestamp.hpp>

namespace connectid::inline v0 {

/// *Start subscription* (`POST /v1/subscription`). Fill it with designated initialisers. Lengths count Unicode code
/// points of UTF-8 text; an empty string is a field not given. Limits: the API reference's table of this endpoint.
struct StartSubscriptionRequest {
  std::string company_code = {};                             ///< optional, at most 12
  std::string product = {};                                  ///< required, at most 12
  std::optional<Timestamp> start_time = std::nullopt;        ///< required
  std::optional<Timestamp> end_time = std::nullopt;          ///< optional, after start_time
  std::optional<std::int64_t> copies = std::nullopt;         ///< required, 1 or more
  std::string coupon_code = {};                              ///< required, at most 12
  std::optional<std::int64_t> coupon_number = std::nullopt;  ///< required, 0 or more
  std::string customer_reference = {};                       ///< optional, at most 37: long enough for a UUID
};

struct StartSubscriptionResponse {
  std::optional<std::string> status = std::nullopt;  ///< `OK`, where the answer says so
  CallInfo call = {};
};

/// Every rule that the request breaks, in the order of its fields; empty: it may be sent. Pure; asks no server.
[[nodiscard]] CONNECTID_API std::vector<Violation> validate(const StartSubscriptionRequest& request);

/// The exact body that `SubscriptionClient::start` sends: JSON, fields in the reference's order, those not given left
/// out. `copies_as_text`: as in ClientOptions. Never fails: bytes that are not UTF-8 (which `validate` refuses) become
/// U+FFFD.
[[nodiscard]] CONNECTID_API std::string to_json(const StartSubscriptionRequest& request, bool copies_as_text = false);

}  // namespace connectid::inline v0
