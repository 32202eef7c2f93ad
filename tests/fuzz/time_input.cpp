// Any text as the program's --start-time and --start-date: what is taken for a time prints back to the same text.
#include <connectid/local_time.hpp>

#include "input/request.hpp"
#include "support/fuzzing.hpp"

namespace connectid::fuzz {
namespace {

using namespace std::chrono;

std::optional<Timestamp> start_time(const cli::RequestArguments& arguments) {
  try {
    const auto request = cli::read_request(arguments, {});
    require(request && request->start_time, "what is given is taken or refused");
    return request->start_time;
  } catch (const cli::UsageError&) {
    return std::nullopt;
  }
}

std::string date_text(year_month_day date) {
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", int(date.year()), unsigned(date.month()), unsigned(date.day()));
  return text;
}

/// `2026-04-01T00:00:00.000`
std::string clock_text(milliseconds since_1970) {
  const local_time<milliseconds> clock{since_1970};
  const auto day = floor<days>(clock);
  const hh_mm_ss time{clock - day};
  char text[64];
  std::snprintf(text, sizeof text, "T%02d:%02d:%02d.%03d", int(time.hours().count()), int(time.minutes().count()),
                int(time.seconds().count()), int(time.subseconds().count()));
  return date_text(year_month_day{day}) + text;
}

/// `Z`, `+02`, `+0200`, `+02:00`
minutes offset_of(std::string_view zone) {
  if (zone == "Z") return minutes{0};
  const int hours = std::stoi(std::string(zone.substr(1, 2)));
  const int rest = zone.size() > 3 ? std::stoi(std::string(zone.substr(zone.size() - 2))) : 0;
  return minutes{(zone.front() == '-' ? -1 : 1) * (hours * 60 + rest)};
}

void check_time(const std::string& text) {
  cli::RequestArguments arguments;
  arguments.start_time = text;
  const auto time = start_time(arguments);
  if (!time) return;
  constexpr hours a_day{24};
  const bool countable = *time > Timestamp::min() + a_day && *time < Timestamp::max() - a_day;
  require(local_clock(*time).has_value() >= countable, "each time has its local clock");
  const milliseconds since_1970 = time->time_since_epoch();
  if (text.find('T') == std::string::npos) return require(since_1970.count() == std::stoll(text), "a number is itself");

  const std::size_t zone = text.find_first_of("Z+-", sizeof "2026-04-01T");
  require(zone != std::string::npos, "a time without a zone is refused");
  std::string clock = text.substr(0, zone);
  if (clock.size() == 16) clock += ":00";
  clock += clock.size() == 19 ? ".000" : "000";
  clock.resize(23);  // further digits are less than a millisecond
  require(clock_text(since_1970 + offset_of(text.substr(zone))) == clock, "a time prints back to the same");
}

void check_date(const std::string& text) {
  cli::RequestArguments arguments;
  arguments.start_date = text;
  const auto time = start_time(arguments);
  if (!time) return;
  const auto clock = local_clock(*time);
  require(clock && date_text(year_month_day{floor<days>(*clock)}) == text, "a date begins on its day");
}

}  // namespace
}  // namespace connectid::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(connectid::fuzz::text_of(data, size));
  connectid::fuzz::check_time(text);
  connectid::fuzz::check_date(text);
  return 0;
}
