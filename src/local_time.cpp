#include <connectid/local_time.hpp>

#include <date/tz.h>

#include <exception>
#include <fstream>
#include <iterator>

#include "text.hpp"

namespace connectid {
namespace {

using std::chrono::milliseconds;
using Local = date::local_time<milliseconds>;

Error cannot(ErrorDetail detail, const std::string& what) { return {Outcome::not_sent, std::move(detail), what}; }

Result<const date::time_zone*> find_zone(std::string_view name) {
  try {
    static_cast<void>(date::get_tzdb());
  } catch (const std::exception&) {
    return cannot(ConfigurationError{},
                  "the system has no time zone data (Debian: the package tzdata), so no local time can be told");
  }
  try {
    return date::locate_zone(std::string(name));
  } catch (const std::exception&) {
    return cannot(ConfigurationError{}, "the system's time zone data has no zone \"" + detail::printable(name, 60) +
                                            "\": give an IANA name such as Europe/Oslo");
  }
}

/// The date library reads the transitions that the zone's file lists, but not the rule with which the file goes on
/// behind the last of them (RFC 8536 section 3.3). Where there is such a rule, what it says there is not what holds.
bool rule_is_not_read(const date::time_zone& zone, date::sys_seconds time) {
  if (zone.get_info(time).end < date::sys_days{date::year{3000} / 1 / 1}) return false;
  std::ifstream file("/usr/share/zoneinfo/" + zone.name(), std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::size_t footer = text.size() < 2 ? std::string::npos : text.rfind('\n', text.size() - 2);
  return footer == std::string::npos || text.find(',', footer) != std::string::npos;
}

Error out_of_reach(std::string_view zone) {
  return cannot(ConfigurationError{}, "the system's time zone data for \"" + detail::printable(zone, 60) +
                                          "\" does not list the clock changes of that date");
}

Result<Timestamp> at(std::chrono::year_month_day day, milliseconds since_midnight, date::choose which,
                     std::string_view zone) {
  if (!day.ok()) {
    const std::string why = "the date must be one that the calendar has";
    return cannot(ValidationError{{{"date", "range", why}}}, why);
  }
  const Result<const date::time_zone*> found = find_zone(zone);
  if (!found) return found.error();
  const Local local{std::chrono::sys_days{day}.time_since_epoch() + since_midnight};
  try {
    const auto time = (*found)->to_sys(local, which);
    if (rule_is_not_read(**found, date::floor<std::chrono::seconds>(time))) return out_of_reach(zone);
    return Timestamp{time.time_since_epoch()};
  } catch (const std::exception&) {
    return cannot(ConfigurationError{},
                  "the system's time zone data for \"" + detail::printable(zone, 60) + "\" cannot be read");
  }
}

}  // namespace

Result<Timestamp> local_midnight(std::chrono::year_month_day day, std::string_view zone) {
  return at(day, milliseconds{0}, date::choose::earliest, zone);
}

Result<Timestamp> local_day_end(std::chrono::year_month_day day, std::string_view zone) {
  return at(day, std::chrono::hours{24} - std::chrono::seconds{1}, date::choose::latest, zone);
}

Result<std::chrono::local_time<milliseconds>> local_clock(Timestamp time, std::string_view zone) {
  const Result<const date::time_zone*> found = find_zone(zone);
  if (!found) return found.error();
  try {
    if (rule_is_not_read(**found, date::floor<std::chrono::seconds>(time))) return out_of_reach(zone);
    return std::chrono::local_time<milliseconds>{(*found)->to_local(time).time_since_epoch()};
  } catch (const std::exception&) {
    return cannot(ConfigurationError{},
                  "the system's time zone data for \"" + detail::printable(zone, 60) + "\" cannot be read");
  }
}

}  // namespace connectid
