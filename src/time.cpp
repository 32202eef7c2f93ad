#include "time.hpp"

#include <curl/curl.h>

#include <array>
#include <cstdio>

namespace connectid::inline v0::detail {

std::string utc(Timestamp time) {
  using namespace std::chrono;
  // The calendar's arithmetic ends long before a Timestamp does.
  if (time < sys_days{year{0} / 1 / 1} || time >= sys_days{year{10000} / 1 / 1}) {
    return std::to_string(time.time_since_epoch().count()) + " ms since 1970";
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

std::optional<Timestamp> parse_http_date(const std::string& text) {
  using namespace std::chrono;
  // libcurl takes a year of nine digits, too, which no Timestamp can count.
  const sys_seconds time{seconds{curl_getdate(text.c_str(), nullptr)}};
  if (time < sys_days{1970y / 1 / 1} || time >= sys_days{year{10000} / 1 / 1}) return std::nullopt;
  return time;
}

}  // namespace connectid::inline v0::detail
