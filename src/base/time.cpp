#include "base/time.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace connectid::inline v0::detail {

std::string in_milliseconds(std::chrono::milliseconds time) { return std::to_string(time.count()) + " ms"; }

std::string utc(Timestamp time) {
  using namespace std::chrono;
  // The calendar's arithmetic ends long before a Timestamp does.
  if (time < sys_days{year{0} / 1 / 1} || time >= sys_days{year{10000} / 1 / 1}) {
    return in_milliseconds(time.time_since_epoch()) + " since 1970";
  }
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<seconds>(time - day)};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

namespace {

/// Which of `names`, of three letters each, this one is; no value where it is none.
std::optional<unsigned> position(std::string_view names, std::string_view name) {
  for (unsigned at = 0; at * 3 < names.size(); ++at) {
    if (names.substr(at * 3, 3) == name) return at;
  }
  return std::nullopt;
}

/// IMF-fixdate, the one form that is still sent, of a time that is on the calendar: `Sun, 06 Nov 1994 08:49:37 GMT`.
/// libcurl takes ten thousand instructions for it, and every call has one to read.
std::optional<Timestamp> parse_fixdate(std::string_view text) {
  using namespace std::chrono;
  static constexpr std::string_view form = "aaa, 00 aaa 0000 00:00:00 GMT";
  const auto fits = [](char c, char of_form) {
    return of_form == '0' ? c >= '0' && c <= '9' : of_form == 'a' || c == of_form;
  };
  if (!std::ranges::equal(text, form, fits)) return std::nullopt;
  const auto number = [&](std::size_t at) { return static_cast<unsigned>((text[at] - '0') * 10 + text[at + 1] - '0'); };
  const auto weekday = position("SunMonTueWedThuFriSat", text.substr(0, 3));
  const auto month = position("JanFebMarAprMayJunJulAugSepOctNovDec", text.substr(8, 3));
  if (!weekday || !month) return std::nullopt;
  const year_month_day date{year{static_cast<int>(number(12) * 100 + number(14))}, std::chrono::month{*month + 1},
                            day{number(5)}};
  if (!date.ok() || date.year() < year{1970} || number(17) > 23 || number(20) > 59 || number(23) > 59)
    return std::nullopt;
  return sys_days{date} + hours{number(17)} + minutes{number(20)} + seconds{number(23)};
}

}  // namespace

std::optional<Timestamp> parse_http_date(const std::string& text) {
  using namespace std::chrono;
  if (const auto time = parse_fixdate(text)) return time;
  // libcurl takes a year of nine digits, too, which no Timestamp can count.
  const sys_seconds time{seconds{curl_getdate(text.c_str(), nullptr)}};
  if (time < sys_days{year{1970} / 1 / 1} || time >= sys_days{year{10000} / 1 / 1}) return std::nullopt;
  return time;
}

}  // namespace connectid::inline v0::detail
