#pragma once

#include <connectid/timestamp.hpp>
#include <string>

namespace connectid::cli {

/// `2026-04-01 03:00:07Z`, the seconds cut.
[[nodiscard]] std::string utc_for_people(Timestamp time);
/// `2026-04-01T03:00:07.123Z`
[[nodiscard]] std::string utc_for_machines(Timestamp time);
/// "Wed 1 April 2026 00:00 Europe/Oslo", and whether that is not the beginning of a day. Without zone data: UTC.
[[nodiscard]] std::string local_for_people(Timestamp time, const std::string& zone, bool& midnight);

}  // namespace connectid::cli
