#pragma once

#include <chrono>

namespace connectid::inline v0 {

/// A point in time as the API counts it: whole milliseconds since 1970-01-01T00:00:00Z (leap seconds not counted).
///
///     connectid::Timestamp{std::chrono::milliseconds{1560336440000}}
///
/// The usual slip is to pass seconds; `validate` refuses what then falls before the year 2000.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

}  // namespace connectid::inline v0
