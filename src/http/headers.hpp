#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <connectid/http/transport.hpp>
#include <connectid/timestamp.hpp>

namespace connectid::inline v0::http {

/// A field's name (or a method) by the letter of RFC 9110: a token.
[[nodiscard]] bool is_token(std::string_view text) noexcept;

/// A value without control characters.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;

/// A name that is an RFC 9110 token and a value without control characters: nothing that could begin a line of its own.
[[nodiscard]] bool well_formed(const Header& header) noexcept;

/// Visible ASCII, one character or more: what may stand as a bearer token or a request id.
[[nodiscard]] bool visible_ascii(std::string_view text) noexcept;

/// The field as a whole number of 0 or more; no value where it is missing or not one.
[[nodiscard]] std::optional<std::int64_t> number(const Headers& headers, std::string_view name) noexcept;

/// How long until the allowance is renewed: `X-RateLimit-Reset`, whose seconds are a delta or, where they are more than
/// a day, a time since 1970 (against the answer's own `Date`, or else `now`).
[[nodiscard]] std::optional<std::chrono::milliseconds> rate_limit_reset(const Headers& headers, Timestamp now);

/// The pause that an answer names: `Retry-After` in seconds or as an HTTP-date (against the answer's own `Date`, or
/// else `now`), else `rate_limit_reset`, else, where `X-RateLimit-Remaining` is 0, the minute that the longest of the
/// API's limits counts.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_after(const Headers& headers, Timestamp now);

}  // namespace connectid::inline v0::http
