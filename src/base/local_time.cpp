#include <connectid/local_time.hpp>

#include <cctz/time_zone.h>

#include <algorithm>

#include "base/text.hpp"

namespace connectid::inline v0 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Error cannot(ErrorDetail detail, const std::string& what) { return {Outcome::not_sent, std::move(detail), what}; }

/// The names of zones, and nothing that leads out of the zone data: CCTZ opens any path that it is given.
bool is_zone_name(std::string_view name) {
  static constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
  return !name.empty() && name.front() != '/' && name.find_first_not_of(allowed) == std::string_view::npos;
}

Result<cctz::time_zone> find_zone(std::string_view name) {
  cctz::time_zone zone;
  if (is_zone_name(name) && cctz::load_time_zone(std::string(name), &zone)) return zone;
  if (!cctz::load_time_zone(std::string(norwegian_zone), &zone)) {
    return cannot(ConfigurationError{},
                  "the system has no time zone data (Debian: the package tzdata), so no local time can be told");
  }
  return cannot(ConfigurationError{}, "the system's time zone data has no zone \"" + detail::printable(name, 60) +
                                          "\": give an IANA name such as Europe/Oslo");
}

Result<cctz::civil_second> begin_of(std::chrono::year_month_day day) {
  if (day.ok()) return cctz::civil_second(int(day.year()), int(unsigned(day.month())), int(unsigned(day.day())));
  const std::string why = "the date must be one that the calendar has";
  return cannot(ValidationError{{{"date", "range", why}}}, why);
}

}  // namespace

Result<Timestamp> local_midnight(std::chrono::year_month_day day, std::string_view zone) {
  const auto begin = begin_of(day);
  if (!begin) return begin.error();
  const auto found = find_zone(zone);
  if (!found) return found.error();
  // Its own rule is ours: the change itself where the clocks skip this time, the first of the two where they repeat it.
  return Timestamp{cctz::convert(*begin, *found)};
}

Result<Timestamp> local_day_end(std::chrono::year_month_day day, std::string_view zone) {
  const auto begin = begin_of(day);
  if (!begin) return begin.error();
  const auto found = find_zone(zone);
  if (!found) return found.error();
  const auto last = found->lookup(*begin + 24 * 60 * 60 - 1);
  const bool skipped = last.kind == cctz::time_zone::civil_lookup::SKIPPED;
  return Timestamp{skipped ? last.trans - seconds{1} : last.post};
}

Result<std::chrono::local_time<milliseconds>> local_clock(Timestamp time, std::string_view zone) {
  const auto found = find_zone(zone);
  if (!found) return found.error();
  const seconds ahead_of_utc{found->lookup(time).offset};
  constexpr milliseconds a_day = std::chrono::hours{24};
  if (time > Timestamp::max() - a_day || time < Timestamp::min() + a_day) {
    const std::string why = "the time must be one that can be counted in every zone";
    return cannot(ValidationError{{{"time", "range", why}}}, why);
  }
  return std::chrono::local_time<milliseconds>{time.time_since_epoch() + ahead_of_utc};
}

}  // namespace connectid::inline v0
