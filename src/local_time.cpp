#include <connectid/local_time.hpp>

#include <date/tz.h>

#include <exception>

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
    return Timestamp{(*found)->to_sys(local, which).time_since_epoch()};
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
    return std::chrono::local_time<milliseconds>{(*found)->to_local(time).time_since_epoch()};
  } catch (const std::exception&) {
    return cannot(ConfigurationError{},
                  "the system's time zone data for \"" + detail::printable(zone, 60) + "\" cannot be read");
  }
}

}  // namespace connectid
