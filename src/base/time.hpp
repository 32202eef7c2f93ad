#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <connectid/timestamp.hpp>

namespace connectid::inline v0::detail {

/// `2026-04-01 03:00:07Z`, the seconds cut, not rounded; outside the years 0 to 9999 the milliseconds since 1970.
[[nodiscard]] std::string utc(Timestamp time);

/// `250 ms`.
[[nodiscard]] std::string in_milliseconds(std::chrono::milliseconds time);

/// An HTTP-date (RFC 9110 section 5.6.7); no value where the text is none.
[[nodiscard]] std::optional<Timestamp> parse_http_date(const std::string& text);

}  // namespace connectid::inline v0::detail
