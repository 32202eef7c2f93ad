#pragma once

#include <chrono>
#include <stop_token>

namespace connectid::inline v0::detail {

/// Returns at this time, or as soon as a stop is requested.
void pause_until(std::chrono::steady_clock::time_point time, const std::stop_token& stop);

}  // namespace connectid::inline v0::detail
