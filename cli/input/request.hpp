#pragma once

#include <connectid/subscription/start_subscription.hpp>
#include <optional>
#include <stop_token>

#include "commands/command_line.hpp"

namespace connectid::cli {

/// The request that the JSON and the flags make together; flags win. It is not validated. Nothing where a stop is
/// requested while the JSON is read. Throws UsageError where a file cannot be read, JSON is broken, a field is
/// unknown or has the wrong type, a flag's text is not what it should be, or the system knows no such zone.
[[nodiscard]] std::optional<StartSubscriptionRequest> read_request(const RequestArguments& from,
                                                                   const std::stop_token& stop);

}  // namespace connectid::cli
