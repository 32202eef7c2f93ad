#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace connectid::inline v0::detail {

/// Takes one code point off the front of `text` (not empty). No value: the bytes there are not UTF-8 (RFC 3629:
/// overlong forms, surrogates and values above U+10FFFF included), and one byte was taken.
[[nodiscard]] std::optional<char32_t> take_code_point(std::string_view& text) noexcept;

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Space to `~`: neither a control character nor a byte of a longer code point.
[[nodiscard]] bool is_plain_ascii(std::string_view text) noexcept;

/// Unicode's category Cc: C0, DEL and C1.
[[nodiscard]] constexpr bool is_control(char32_t c) noexcept { return c < 0x20 || (c >= 0x7F && c <= 0x9F); }

/// One line for people: control characters and what is not UTF-8 as `\x0a`, at most `limit` bytes and then "...".
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit);

/// ASCII only, whatever the locale: what header names need.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// Every occurrence of `secret` in `text` replaced by `[redacted]`. A token of less than 8 characters is no secret but
/// a test's placeholder, and would be found in ordinary words; what people choose may be as short as `shortest` says.
[[nodiscard]] std::string redact(std::string text, std::string_view secret, std::size_t shortest = 8);

}  // namespace connectid::inline v0::detail
