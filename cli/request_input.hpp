#pragma once

#include <connectid/start_subscription.hpp>

#include "arguments.hpp"

namespace connectid::cli {

/// The request that the JSON and the flags make together; flags win. Throws UsageError where a file cannot be read,
/// JSON is broken, a field is unknown or has the wrong type, or a flag's text is not what it should be. It is not
/// validated.
[[nodiscard]] StartSubscriptionRequest read_request(const RequestArguments& from);

}  // namespace connectid::cli
