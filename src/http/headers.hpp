#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <connectid/http/transport.hpp>
#include <connectid/timestamp.hpp>

namespace connectid::inline v0::detail {

/// A field's name (or a method) by the letter of RFC 9110: a token.
[[nodiscard]] bool is_token(std::string_view text) noexcept;

/// A value without control characters.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;

/// A name that is an RFC 9110 token and a value without control characters: nothing that could begin a line of its own.
[[nodiscard]] bool well_formed(const http::Header& header) noexcept;

/// Whether a field of a request speaks of the connection, of the body's framing or of who lets it in: none that a
/// caller may bring (RFC 9110 section 7.6.1).
[[nodiscard]] bool is_of_the_connection(std::string_view name) noexcept;

/// Visible ASCII, one character or more: what may stand as a bearer token or a request id.
[[nodiscard]] bool visible_ascii(std::string_view text) noexcept;

/// A value as a whole number of 0 or more; no value where it is null or not one.
[[nodiscard]] std::optional<std::int64_t> parse_count(const std::string* value) noexcept;

/// The values of the response headers that a call looks at, each the first of its name; null where there is none. Found
/// in one pass; they live as long as the headers. Implicit: a function that takes it takes headers.
struct KnownHeaders {
  KnownHeaders(const http::Headers& headers) noexcept;

  const std::string* date = nullptr;
  const std::string* retry_after = nullptr;
  const std::string* request_id = nullptr;
  const std::string* rate_limit_reset = nullptr;
  const std::string* rate_limit_remaining = nullptr;
};

/// How long until the allowance is renewed: `X-RateLimit-Reset`, whose seconds are a delta or, where they are more than
/// a day, a time since 1970 (against the response's own `Date`, or else `now`).
[[nodiscard]] std::optional<std::chrono::milliseconds> rate_limit_reset(const KnownHeaders& headers, Timestamp now);

/// The pause that a response names: `Retry-After` in seconds or as an HTTP-date (against the response's own `Date`, or
/// else `now`), else `rate_limit_reset`, else, where `X-RateLimit-Remaining` is 0, the minute that the longest of the
/// API's limits counts.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_after(const KnownHeaders& headers, Timestamp now);

}  // namespace connectid::inline v0::detail
