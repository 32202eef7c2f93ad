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

namespace {

// What is longer is no pause but a number that means something else.
constexpr seconds longest_pause = std::chrono::hours{24 * 366};

/// Until a time from 1970 on, by the server's own clock where it tells it. Whatever a clock says, nothing overflows.
std::optional<milliseconds> until(Timestamp time, const Headers& headers, Timestamp now) {
  const std::string* date = find(headers, "Date");
  const Timestamp server_now = (date ? detail::parse_http_date(*date) : std::nullopt).value_or(now);
  if (time - longest_pause > server_now) return std::nullopt;
  return std::max(time - server_now, milliseconds{0});
}

}  // namespace

std::optional<milliseconds> rate_limit_reset(const Headers& headers, Timestamp now) {
  static constexpr std::int64_t longest_delta = 24 * 60 * 60;
  const auto reset = number(headers, "X-RateLimit-Reset");
  if (!reset) return std::nullopt;
  if (*reset <= longest_delta) return seconds{*reset};
  if (*reset > std::chrono::duration_cast<seconds>(Timestamp::duration::max()).count()) return std::nullopt;
  return until(Timestamp{seconds{*reset}}, headers, now);
}

std::optional<milliseconds> retry_after(const Headers& headers, Timestamp now) {
  if (const auto delta = number(headers, "Retry-After")) {
    return *delta <= longest_pause.count() ? std::optional<milliseconds>(seconds{*delta}) : std::nullopt;
  }
  if (const std::string* text = find(headers, "Retry-After")) {
    if (const auto time = detail::parse_http_date(*text)) return until(*time, headers, now);
  }
  if (const auto reset = rate_limit_reset(headers, now)) return reset;
  if (number(headers, "X-RateLimit-Remaining") == 0) return std::chrono::minutes{1};
  return std::nullopt;
}

}  // namespace connectid::inline v0::http
