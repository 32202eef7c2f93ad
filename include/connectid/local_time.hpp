#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <connectid/export.hpp>
#include <connectid/result.hpp>
#include <connectid/timestamp.hpp>

namespace connectid::inline v0 {

/// The zone in which the API's subscription days begin (Norway).
inline constexpr std::string_view norwegian_zone = "Europe/Oslo";

/// 00:00:00 of this day by the clocks of the zone (an IANA name): when a subscription starts. Where the zone's clocks
/// skip midnight on that day, the first moment of the day; where they show it twice, the first of the two.
///
/// Reads the system's zone data. An unknown zone and missing zone data are a `configuration_error`, a day that no
/// calendar has a `validation_error`; nothing is ever guessed. Thread-safe.
[[nodiscard]] CONNECTID_API Result<Timestamp> local_midnight(std::chrono::year_month_day day,
                                                             std::string_view zone = norwegian_zone);

/// 23:59:59 of this day, likewise: when a subscription ends. Where the clocks show it twice, the second of the two.
[[nodiscard]] CONNECTID_API Result<Timestamp> local_day_end(std::chrono::year_month_day day,
                                                            std::string_view zone = norwegian_zone);

/// What the zone's clocks show at this time.
[[nodiscard]] CONNECTID_API Result<std::chrono::local_time<std::chrono::milliseconds>> local_clock(
    Timestamp time, std::string_view zone = norwegian_zone);

}  // namespace connectid::inline v0
