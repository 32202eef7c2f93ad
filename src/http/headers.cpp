#include "http/headers.hpp"

#include <algorithm>
#include <array>

#include "base/number.hpp"
#include "base/text.hpp"
#include "base/time.hpp"

namespace connectid::inline v0::detail {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// Which bytes may stand in it, for all of them: every name and value of every header is looked through.
using Bytes = std::array<bool, 256>;

constexpr Bytes of_a_token = [] {
  constexpr std::string_view separators = "\"(),/:;<=>?@[\\]{}";
  Bytes bytes{};
  for (unsigned char c = '!'; c <= '~'; ++c) bytes[c] = separators.find(static_cast<char>(c)) == std::string_view::npos;
  return bytes;
}();

constexpr Bytes of_a_field_value = [] {
  Bytes bytes{};
  bytes.fill(true);
  std::fill_n(bytes.begin(), ' ', false);  // control characters
  bytes[0x7f] = false;
  bytes['\t'] = true;
  return bytes;
}();

bool only(const Bytes& bytes, std::string_view text) noexcept {
  return std::ranges::all_of(text, [&](char c) { return bytes[static_cast<unsigned char>(c)]; });
}

struct Known {
  std::string_view name;
  const std::string* KnownHeaders::*place;
};
constexpr std::array<Known, 5> known{{{"Date", &KnownHeaders::date},
                                      {"Retry-After", &KnownHeaders::retry_after},
                                      {"X-Request-Id", &KnownHeaders::request_id},
                                      {"X-RateLimit-Reset", &KnownHeaders::rate_limit_reset},
                                      {"X-RateLimit-Remaining", &KnownHeaders::rate_limit_remaining}}};

/// No two are of one length: it says which a header may be, if any.
constexpr auto known_by_length = [] {
  std::array<const Known*, 22> table{};
  for (const Known& one : known) {
    if (table[one.name.size()]) throw "two names of one length";  // does not compile
    table[one.name.size()] = &one;
  }
  return table;
}();

}  // namespace

bool visible_ascii(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_token(std::string_view text) noexcept { return !text.empty() && only(of_a_token, text); }

bool is_field_value(std::string_view text) noexcept { return only(of_a_field_value, text); }

bool is_of_the_connection(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 13> names = {"Accept-Encoding",
                                                             "Authorization",
                                                             "Connection",
                                                             "Content-Length",
                                                             "Expect",
                                                             "Host",
                                                             "Keep-Alive",
                                                             "Proxy-Authorization",
                                                             "TE",
                                                             "Proxy-Connection",
                                                             "Transfer-Encoding",
                                                             "Trailer",
                                                             "Upgrade"};
  return std::ranges::any_of(
      names, [&](std::string_view one) { return one.size() == name.size() && equal_ignoring_case(one, name); });
}

bool well_formed(const http::Header& header) noexcept { return is_token(header.name) && is_field_value(header.value); }

KnownHeaders::KnownHeaders(const http::Headers& headers) noexcept {
  for (const auto& [name, value] : headers) {
    const Known* one = name.size() < known_by_length.size() ? known_by_length[name.size()] : nullptr;
    if (!one || this->*one->place || !equal_ignoring_case(name, one->name)) continue;
    this->*one->place = &value;
  }
}

std::optional<std::int64_t> parse_count(const std::string* value) noexcept {
  if (!value || value->starts_with('-')) return std::nullopt;  // nor `-0`
  return number_in<std::int64_t>(*value);
}

namespace {

// What is longer is no pause but a number that means something else.
constexpr seconds longest_pause = std::chrono::hours{24 * 366};

/// Until a time from 1970 on, by the server's own clock where it tells it. Whatever a clock says, nothing overflows.
std::optional<milliseconds> until(Timestamp time, const KnownHeaders& headers, Timestamp now) {
  const Timestamp server_now = (headers.date ? parse_http_date(*headers.date) : std::nullopt).value_or(now);
  if (time - longest_pause > server_now) return std::nullopt;
  return std::max(time - server_now, milliseconds{0});
}

}  // namespace

std::optional<milliseconds> rate_limit_reset(const KnownHeaders& headers, Timestamp now) {
  static constexpr std::int64_t longest_delta = 24 * 60 * 60;
  const auto reset = parse_count(headers.rate_limit_reset);
  if (!reset) return std::nullopt;
  if (*reset <= longest_delta) return seconds{*reset};
  if (*reset > std::chrono::duration_cast<seconds>(Timestamp::duration::max()).count()) return std::nullopt;
  return until(Timestamp{seconds{*reset}}, headers, now);
}

std::optional<milliseconds> retry_after(const KnownHeaders& headers, Timestamp now) {
  if (const auto delta = parse_count(headers.retry_after)) {
    return *delta <= longest_pause.count() ? std::optional<milliseconds>(seconds{*delta}) : std::nullopt;
  }
  if (headers.retry_after) {
    if (const auto time = parse_http_date(*headers.retry_after)) return until(*time, headers, now);
  }
  if (const auto reset = rate_limit_reset(headers, now)) return reset;
  if (parse_count(headers.rate_limit_remaining) == 0) return std::chrono::minutes{1};
  return std::nullopt;
}

}  // namespace connectid::inline v0::detail
