#include <connectid/local_time.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace connectid {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

struct Day {
  const char* name;
  std::chrono::year_month_day day;
  const char* zone;
  Timestamp midnight, end;
};
class LocalDay : public ::testing::TestWithParam<Day> {};

TEST_P(LocalDay, begins_and_ends_by_the_clocks_of_its_zone) {
  const Day& row = GetParam();
  const auto midnight = local_midnight(row.day, row.zone);
  const auto end = local_day_end(row.day, row.zone);
  ASSERT_TRUE(midnight) << midnight.error();
  ASSERT_TRUE(end) << end.error();
  EXPECT_EQ(*midnight, row.midnight) << midnight->time_since_epoch().count();
  EXPECT_EQ(*end, row.end) << end->time_since_epoch().count();
}
const Day days[] = {
    {"winter", 2026y / 1 / 15, "Europe/Oslo", sys_days{2026y / 1 / 14} + 23h, sys_days{2026y / 1 / 15} + 23h - 1s},
    {"summer", 2026y / 7 / 1, "Europe/Oslo", sys_days{2026y / 6 / 30} + 22h, sys_days{2026y / 7 / 1} + 22h - 1s},
    {"day_before_summer_time", 2026y / 3 / 28, "Europe/Oslo", sys_days{2026y / 3 / 27} + 23h,
     sys_days{2026y / 3 / 28} + 23h - 1s},
    {"summer_time_begins", 2026y / 3 / 29, "Europe/Oslo", sys_days{2026y / 3 / 28} + 23h,
     sys_days{2026y / 3 / 29} + 22h - 1s},
    {"day_after_it_began", 2026y / 3 / 30, "Europe/Oslo", sys_days{2026y / 3 / 29} + 22h,
     sys_days{2026y / 3 / 30} + 22h - 1s},
    {"summer_time_ends", 2026y / 10 / 25, "Europe/Oslo", sys_days{2026y / 10 / 24} + 22h,
     sys_days{2026y / 10 / 25} + 23h - 1s},
    {"day_after_it_ended", 2026y / 10 / 26, "Europe/Oslo", sys_days{2026y / 10 / 25} + 23h,
     sys_days{2026y / 10 / 26} + 23h - 1s},
    {"the_references_example", 2023y / 12 / 29, "Europe/Oslo", Timestamp{1703804400000ms}, Timestamp{1703890799000ms}},
    {"leap_day", 2028y / 2 / 29, "Europe/Oslo", sys_days{2028y / 2 / 28} + 23h, sys_days{2028y / 2 / 29} + 23h - 1s},
    {"sweden", 2026y / 7 / 1, "Europe/Stockholm", sys_days{2026y / 6 / 30} + 22h, sys_days{2026y / 7 / 1} + 22h - 1s},
    {"utc", 2026y / 7 / 1, "UTC", sys_days{2026y / 7 / 1}, sys_days{2026y / 7 / 2} - 1s},
    // Beirut's clocks went from 23:59:59 to 01:00 at the end of 2022-03-26.
    {"midnight_that_is_skipped", 2022y / 3 / 27, "Asia/Beirut", sys_days{2022y / 3 / 26} + 22h,
     sys_days{2022y / 3 / 27} + 21h - 1s},
};
INSTANTIATE_TEST_SUITE_P(Table, LocalDay, ::testing::ValuesIn(days), [](const auto& row) { return row.param.name; });

TEST(LocalTime, the_zone_is_norways_unless_given) {
  EXPECT_EQ(*local_midnight(2023y / 12 / 29), Timestamp{1703804400000ms});
}

TEST(LocalTime, a_day_that_no_calendar_has_is_refused) {
  for (const auto day : {2026y / 2 / 29, 2026y / 4 / 31, 2026y / 13 / 1, 2026y / 0 / 1, 2026y / 1 / 0}) {
    const auto result = local_midnight(day);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind(), ErrorKind::validation_error);
  }
}

TEST(LocalTime, a_zone_that_the_data_does_not_have_is_refused_and_named) {
  for (const char* zone : {"Europe/Atlantis", "", "../../etc/passwd", "Europe"}) {
    const auto result = local_midnight(2026y / 4 / 1, zone);
    ASSERT_FALSE(result) << zone;
    EXPECT_EQ(result.error().kind(), ErrorKind::configuration_error);
    EXPECT_NE(result.error().message().find(zone), std::string::npos);
  }
}

TEST(LocalTime, the_rule_behind_the_listed_clock_changes_is_followed) {
  EXPECT_EQ(*local_midnight(2060y / 7 / 1), Timestamp{sys_days{2060y / 6 / 30} + 22h});
  EXPECT_EQ(*local_midnight(2199y / 1 / 1), Timestamp{sys_days{2198y / 12 / 31} + 23h});
  EXPECT_EQ(*local_day_end(2199y / 7 / 1), Timestamp{sys_days{2199y / 7 / 1} + 22h - 1s});
}

/// A zone file as some systems have it ("slim", RFC 8536): two listed changes, and the rule for all that follow.
std::string slim_zone() {
  const auto number = [](std::uint64_t value, int bytes) {
    std::string text;
    while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes));
    return text;
  };
  const auto header = [&](int changes, int types, int letters) {
    return "TZif2" + std::string(15 + 3 * 4, '\0') + number(static_cast<std::uint64_t>(changes), 4) +
           number(static_cast<std::uint64_t>(types), 4) + number(static_cast<std::uint64_t>(letters), 4);
  };
  const auto time = [&](sys_days day) {
    return number(static_cast<std::uint64_t>((day + 1h).time_since_epoch() / 1s), 8);
  };
  const std::string none = header(0, 1, 1) + std::string(7, '\0');
  const std::string changes = time(1996y / 3 / 31) + time(1996y / 10 / 27) + number(0, 1) + number(1, 1);
  const std::string summer = number(7200, 4) + number(1, 1) + number(0, 1);
  const std::string winter = number(3600, 4) + number(0, 1) + number(5, 1);
  return none + header(2, 2, 9) + changes + summer + winter + std::string("CEST\0CET\0", 9) +
         "\nCET-1CEST,M3.5.0,M10.5.0/3\n";
}

class LocalTimeZoneData : public ::testing::Test {
 protected:
  LocalTimeZoneData() {
    std::filesystem::create_directories(directory_);
    setenv("TZDIR", directory_.c_str(), 1);
  }
  ~LocalTimeZoneData() override {
    unsetenv("TZDIR");
    std::filesystem::remove_all(directory_);
  }
  const std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("connectid-zones-" + std::to_string(getpid()));
};

TEST_F(LocalTimeZoneData, that_is_slim_gives_the_same_times) {
  std::ofstream(directory_ / "Slim") << slim_zone();
  for (const auto day :
       {2026y / 3 / 28, 2026y / 3 / 29, 2026y / 3 / 30, 2026y / 10 / 25, 2026y / 10 / 26, 2060y / 7 / 1}) {
    unsetenv("TZDIR");
    const auto expected = local_midnight(day);
    setenv("TZDIR", directory_.c_str(), 1);
    const auto midnight = local_midnight(day, "Slim");
    ASSERT_TRUE(midnight) << midnight.error();
    EXPECT_EQ(*midnight, *expected) << midnight->time_since_epoch().count();
  }
}

TEST_F(LocalTimeZoneData, that_is_broken_is_refused_and_not_guessed) {
  std::ofstream(directory_ / "Cut") << slim_zone().substr(0, 60);
  EXPECT_FALSE(local_midnight(2026y / 4 / 1, "Cut"));
  EXPECT_FALSE(local_day_end(2026y / 4 / 1, "Cut"));
  EXPECT_FALSE(local_clock(Timestamp{0ms}, "Cut"));
}

TEST_F(LocalTimeZoneData, that_lies_outside_its_directory_is_not_opened) {
  std::ofstream(directory_ / "Slim") << slim_zone();
  std::filesystem::create_directories(directory_ / "zones");
  setenv("TZDIR", (directory_ / "zones").c_str(), 1);
  EXPECT_FALSE(local_midnight(2026y / 4 / 1, "../Slim"));
  EXPECT_FALSE(local_midnight(2026y / 4 / 1, (directory_ / "Slim").string()));
}

TEST(LocalTime, the_clock_shows_midnight_at_midnight) {
  const auto clock = local_clock(Timestamp{1703804400000ms});
  ASSERT_TRUE(clock);
  EXPECT_EQ(*clock, std::chrono::local_days{2023y / 12 / 29});
  EXPECT_FALSE(local_clock(Timestamp{0ms}, "Europe/Atlantis"));
}

TEST(LocalTime, a_time_at_the_end_of_all_that_can_be_counted_has_no_clock) {
  for (const Timestamp time : {Timestamp::min(), Timestamp::max()}) {
    const auto clock = local_clock(time);
    ASSERT_FALSE(clock);
    EXPECT_EQ(clock.error().kind(), ErrorKind::validation_error);
  }
}

}  // namespace
}  // namespace connectid
