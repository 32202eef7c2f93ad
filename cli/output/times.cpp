#include "output/times.hpp"

#include <cctz/time_zone.h>

#include <chrono>
#include <connectid/local_time.hpp>

namespace connectid::cli {
namespace {

std::string utc(Timestamp time, const char* form) { return cctz::format(form, time, cctz::utc_time_zone()); }

}  // namespace

std::string utc_for_people(Timestamp time) { return utc(time, "%Y-%m-%d %H:%M:%SZ"); }

std::string utc_for_machines(Timestamp time) { return utc(time, "%Y-%m-%dT%H:%M:%E3SZ"); }

std::string local_for_people(Timestamp time, const std::string& zone, bool& midnight) {
  const auto clock = local_clock(time, zone);
  midnight = true;
  if (!clock) return utc(time, "%Y-%m-%d %H:%M:%E3S UTC");
  const auto day = std::chrono::floor<std::chrono::days>(*clock);
  midnight = *clock == day;
  const Timestamp shown{clock->time_since_epoch()};
  const bool whole_minute = shown.time_since_epoch() % std::chrono::minutes{1} == std::chrono::milliseconds{0};
  return utc(shown, "%a ") + std::to_string(unsigned(std::chrono::year_month_day{day}.day())) +
         utc(shown, whole_minute ? " %B %Y %H:%M " : " %B %Y %H:%M:%S ") + zone;
}

}  // namespace connectid::cli
