#include "http/headers.hpp"

#include <algorithm>
#include <charconv>

#include "text.hpp"
#include "time.hpp"

namespace connectid::inline v0::http {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string* find(const Headers& headers, std::string_view name) noexcept {
  const auto found = std::ranges::find_if(
      headers, [&](const Header& header) { return detail::equal_ignoring_case(header.name, name); });
  return found == headers.end() ? nullptr : &found->value;
}

bool visible_ascii(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_token(std::string_view text) noexcept {
  static constexpr std::string_view separators = "\"(),/:;<=>?@[\\]{}";
  return visible_ascii(text) && text.find_first_of(separators) == std::string_view::npos;
}

bool is_field_value(std::string_view text) noexcept {
  return std::ranges::all_of(text,
                             [](char c) { return (static_cast<unsigned char>(c) >= ' ' && c != '\x7f') || c == '\t'; });
}

bool well_formed(const Header& header) noexcept { return is_token(header.name) && is_field_value(header.value); }

std::optional<std::int64_t> number(const Headers& headers, std::string_view name) noexcept {
  const std::string* text = find(headers, name);
  std::int64_t value = 0;
  if (!text || text->starts_with('-')) return std::nullopt;  // nor `-0`
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

std::optional<milliseconds> retry_after(const Headers& headers, Timestamp now) {
  // What is longer than this is no pause but a number that means something else.
  static constexpr seconds longest = std::chrono::hours{24 * 366};
  static constexpr seconds longest_delta = std::chrono::hours{24};
  const std::string* date = find(headers, "Date");
  const Timestamp server_now = (date ? detail::parse_http_date(*date) : std::nullopt).value_or(now);
  // Of a time from 1970 on. Whatever the clock says, no difference here overflows.
  const auto until = [&](Timestamp time) -> std::optional<milliseconds> {
    if (time - longest > server_now) return std::nullopt;
    return std::max(time - server_now, milliseconds{0});
  };

  if (const auto delta = number(headers, "Retry-After")) {
    return *delta <= longest.count() ? std::optional<milliseconds>(seconds{*delta}) : std::nullopt;
  }
  if (const std::string* text = find(headers, "Retry-After")) {
    if (const auto time = detail::parse_http_date(*text)) return until(*time);
  }
  if (const auto reset = number(headers, "X-RateLimit-Reset")) {
    if (*reset <= longest_delta.count()) return seconds{*reset};
    if (*reset > std::chrono::duration_cast<seconds>(Timestamp::duration::max()).count()) return std::nullopt;
    return until(Timestamp{seconds{*reset}});
  }
  return std::nullopt;
}

}  // namespace connectid::inline v0::http
