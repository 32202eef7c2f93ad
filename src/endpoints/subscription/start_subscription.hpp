#pragma once

#include <string>
#include <string_view>

#include <connectid/subscription/start_subscription.hpp>

#include "call/classify.hpp"

namespace connectid::inline v0::detail {

struct DecodedStart {
  Reading reading;
  StartSubscriptionResponse response;
};

/// The body of a 200. A success is an empty body, or a JSON object whose `status` is absent, null or `OK` and that
/// holds no `exceptionType`, `errorMessage`, `error` or `success` that says otherwise (null counts as absent):
/// elsewhere this API reports failures inside a 200. Unknown fields are ignored.
[[nodiscard]] DecodedStart decode_start_subscription(std::string_view body);

}  // namespace connectid::inline v0::detail
