// The queue by its rules, each for itself, by a clock that the tests turn.
#include "rate_limit/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

namespace connectid::detail {
namespace {

using namespace std::chrono_literals;
using TimePoint = Schedule::TimePoint;
using Duration = Schedule::Duration;
using Ticket = Schedule::Ticket;
using Seconds = std::chrono::duration<double>;

constexpr TimePoint begin{1'000'000s};

/// A queue, its clock, and those who stand in it.
class ScheduleRules : public ::testing::Test {
 protected:
  /// Waits for its slot and goes.
  TimePoint go() {
    Ticket ticket = 0;
    return go(ticket);
  }
  TimePoint go(Ticket& ticket) {
    for (TimePoint at = schedule.reserve(ticket, now, limits); at > now; at = schedule.reserve(ticket, now, limits))
      now = at;
    schedule.go(ticket, now);
    return now;
  }
  /// When whoever comes now may go; he leaves at once.
  TimePoint next() {
    Ticket ticket = 0;
    const TimePoint at = schedule.reserve(ticket, now, limits);
    schedule.give_back(ticket);
    return at;
  }
  /// All wait, each wakes up to so much late, and not all alike; when they went.
  std::vector<TimePoint> all_go(std::vector<Ticket>& tickets, Duration most) {
    int wakes = 0;
    const auto late = [&] { return most * (++wakes % 3) / 2; };
    std::multimap<TimePoint, Ticket*> waking;
    for (Ticket& ticket : tickets)
      waking.emplace(std::max(now, schedule.reserve(ticket, now, limits) + late()), &ticket);
    std::vector<TimePoint> went;
    for (; !waking.empty(); waking.erase(waking.begin())) {
      const auto [time, ticket] = *waking.begin();
      now = std::max(now, time);
      if (const TimePoint at = schedule.reserve(*ticket, now, limits); at > now) {
        waking.emplace(at + late(), ticket);
      } else {
        schedule.go(*ticket, now);
        went.push_back(now);
      }
    }
    return went;
  }
  /// Requests at full speed: that nobody else spends anything has been seen.
  void settle() {
    for (int i = 1; i <= 300; ++i) {
      go();
      schedule.learn({2000 - i, 30s}, now, limits);
    }
    now += 61s;
  }

  Schedule schedule;
  ScheduleLimits limits = schedule_limits({});
  TimePoint now = begin;
};

TEST_F(ScheduleRules, the_first_goes_at_once) { EXPECT_EQ(next(), begin); }

TEST_F(ScheduleRules, never_more_than_98_in_a_second_nor_1960_in_a_minute) {
  settle();
  std::vector<TimePoint> went;
  for (int i = 0; i < 6000; ++i) went.push_back(go());
  for (std::size_t i = 98; i < went.size(); ++i) ASSERT_GE(went[i] - went[i - 98], 1s - 1us) << i;
  for (std::size_t i = 1960; i < went.size(); ++i) ASSERT_GE(went[i] - went[i - 1960], 60s) << i;
  EXPECT_LT(Seconds(went[1959] - went[0]).count(), 1960 / 93.0);
  EXPECT_LT(Seconds(went[1960] - went[0]).count(), 60.5);
}

TEST_F(ScheduleRules, a_third_is_left_to_others_until_responses_tell) {
  int first_second = 0;
  while (go() < begin + 1s) ++first_second;
  EXPECT_GT(first_second, 58);
  EXPECT_LE(first_second, 67);
  while (go() < begin + 4s) continue;  // responses tell nothing
  int later_second = 0;
  while (go() < begin + 5s) ++later_second;
  EXPECT_GT(later_second, 90);
}

TEST_F(ScheduleRules, who_comes_first_is_served_first) {
  settle();
  std::vector<Ticket> tickets(200);
  TimePoint last{};
  for (Ticket& ticket : tickets) {
    const TimePoint at = schedule.reserve(ticket, now, limits);
    ASSERT_GT(at, last);
    last = at;
  }
  for (Ticket& ticket : tickets) ASSERT_GE(go(ticket), now);
  EXPECT_LE(now - last, 1ms);
}

TEST_F(ScheduleRules, a_slot_given_back_at_the_end_was_never_taken) {
  settle();
  Ticket first = 0, second = 0;
  static_cast<void>(schedule.reserve(first, now, limits));
  const TimePoint at = schedule.reserve(second, now, limits);
  schedule.give_back(second);
  EXPECT_EQ(second, 0U);
  EXPECT_EQ(next(), at);
}

TEST_F(ScheduleRules, a_slot_given_back_within_the_queue_is_the_next_comers) {
  settle();
  std::vector<Ticket> tickets(10);
  std::vector<TimePoint> times;
  for (Ticket& ticket : tickets) times.push_back(schedule.reserve(ticket, now, limits));
  schedule.give_back(tickets[3]);
  schedule.give_back(tickets[6]);
  schedule.give_back(tickets[9]);
  EXPECT_EQ(schedule.reserve(tickets[3], now, limits), times[3]);
  EXPECT_EQ(schedule.reserve(tickets[6], now, limits), times[6]);
  EXPECT_EQ(schedule.reserve(tickets[9], now, limits), times[9]);
  EXPECT_GT(next(), times[9]);
}

TEST_F(ScheduleRules, a_thousand_who_gave_up_leave_no_trace) {
  settle();
  std::vector<Ticket> tickets(1000);
  static_cast<void>(go());
  const TimePoint without = next();
  for (const bool backwards : {false, true}) {
    for (Ticket& ticket : tickets) static_cast<void>(schedule.reserve(ticket, now, limits));
    EXPECT_GT(next() - now, 10s);
    for (std::size_t i = 0; i < tickets.size(); ++i)
      schedule.give_back(tickets[backwards ? tickets.size() - 1 - i : i]);
    EXPECT_EQ(next(), without) << backwards;
  }
}

TEST_F(ScheduleRules, who_gave_up_does_not_count_in_the_minute) {
  settle();
  for (int i = 0; i < 1900; ++i) {
    Ticket ticket = 0;
    static_cast<void>(schedule.reserve(ticket, now, limits));
    schedule.give_back(ticket);
  }
  const TimePoint from = now;
  for (int i = 0; i < 1960; ++i) go();
  EXPECT_LT(now - from, 25s);
}

TEST_F(ScheduleRules, a_full_queue_gives_a_time_to_ask_again_and_nobody_starves) {
  settle();
  std::vector<Ticket> tickets(1030);
  for (Ticket& ticket : tickets) static_cast<void>(schedule.reserve(ticket, now, limits));
  EXPECT_EQ(tickets[1024], 0U);
  EXPECT_GT(next(), now + 10s);
  const TimePoint from = now;
  for (Ticket& ticket : tickets) go(ticket);
  EXPECT_LT(now - from, 12s);
}

TEST_F(ScheduleRules, after_a_stall_no_burst_leaves) {
  settle();
  std::vector<Ticket> tickets(500);
  for (Ticket& ticket : tickets) static_cast<void>(schedule.reserve(ticket, now, limits));
  now += 3s;  // 279 slots have passed
  const TimePoint from = now;
  const std::vector<TimePoint> went = all_go(tickets, 0s);
  for (std::size_t i = 98; i < went.size(); ++i) ASSERT_GE(went[i] - went[i - 98], 1s - 1us) << i;
  for (std::size_t i = 1; i < went.size(); ++i) ASSERT_GE(went[i] - went[i - 1], 5ms) << i;
  EXPECT_LT(now - from, 6s);
}

TEST_F(ScheduleRules, who_wakes_a_little_late_delays_nobody) {
  settle();
  std::vector<Ticket> tickets(900);
  const TimePoint from = now;
  const double in_time = Seconds(all_go(tickets, 0s).back() - from).count();
  schedule = {};
  now = begin;
  settle();
  const TimePoint again = now;
  EXPECT_NEAR(Seconds(all_go(tickets, 5ms).back() - again).count(), in_time, 0.01);
}

TEST_F(ScheduleRules, the_slot_of_one_who_was_killed_holds_nobody_up) {
  settle();
  Ticket killed = 0;
  static_cast<void>(schedule.reserve(killed, now, limits));
  for (int i = 0; i < 100; ++i) go();
  EXPECT_LE(now - begin, 70s);
  now += 5s;
  EXPECT_EQ(next(), now);
  Ticket late = killed;
  EXPECT_EQ(schedule.reserve(late, now, limits), now) << "stopped, not killed: he gets a new one";
}

// What responses tell

TEST_F(ScheduleRules, nothing_left_holds_everybody_until_the_reset_in_their_order) {
  settle();
  std::vector<Ticket> tickets(50);
  for (Ticket& ticket : tickets) static_cast<void>(schedule.reserve(ticket, now, limits));
  const TimePoint until = now + 7s;
  schedule.learn({0, 7s}, now, limits);
  Ticket newcomer = 0;
  static_cast<void>(schedule.reserve(newcomer, now, limits));
  TimePoint last{};
  for (Ticket& ticket : tickets) {
    const TimePoint at = schedule.reserve(ticket, now, limits);
    ASSERT_GE(at, until);
    ASSERT_GT(at, last);
    last = at;
  }
  EXPECT_GT(schedule.reserve(newcomer, now, limits), last);
  EXPECT_EQ(go(tickets[0]), until);
}

TEST_F(ScheduleRules, no_more_than_remain_until_the_reset) {
  settle();
  go();
  schedule.learn({20, 30s}, now, limits);
  const TimePoint until = now + 30s;
  for (int i = 0; i < 20; ++i) ASSERT_LT(go(), until) << i;
  EXPECT_GE(go(), until);
}

TEST_F(ScheduleRules, what_others_took_of_a_window_is_gone_at_once) {
  settle();
  go();
  schedule.learn({1900, 30s}, now, limits);
  const TimePoint until = now + 30s;
  go();
  schedule.learn({20, 30s}, now, limits);
  for (int i = 0; i < 20; ++i) ASSERT_LT(go(), until) << i;
  EXPECT_GE(go(), until);
}

TEST_F(ScheduleRules, what_is_in_flight_counts_as_spent) {
  settle();
  for (int i = 0; i < 11; ++i) go();
  schedule.learn({20, 30s}, now, limits);  // the response to the first: ten more are on their way
  const TimePoint until = now + 30s;
  for (int i = 0; i < 10; ++i) ASSERT_LT(go(), until) << i;
  EXPECT_GE(go(), until);
}

TEST_F(ScheduleRules, of_responses_out_of_order_the_smallest_counts) {
  settle();
  for (int i = 0; i < 3; ++i) go();
  schedule.learn({10, 30s}, now, limits);
  schedule.learn({12, 30s}, now, limits);
  schedule.learn({11, 30s}, now, limits);
  const TimePoint until = now + 30s;
  int more = 0;
  while (go() < until) ++more;
  EXPECT_EQ(more, 8);  // 10 remained when two of the three were still on their way
}

TEST_F(ScheduleRules, a_window_that_is_over_is_forgotten) {
  settle();
  go();
  schedule.learn({1, 2s}, now, limits);
  now += 3s;
  const TimePoint from = now;
  for (int i = 0; i < 100; ++i) go();
  EXPECT_LT(now - from, 11s);
}

TEST_F(ScheduleRules, a_response_of_a_window_that_is_over_tells_nothing) {
  settle();
  go();
  go();
  schedule.learn({1900, 59s}, now, limits);
  schedule.learn({1, 1s}, now, limits);  // overtaken by the one before
  const TimePoint from = now;
  for (int i = 0; i < 50; ++i) go();
  EXPECT_LT(now - from, 1s);
}

TEST_F(ScheduleRules, what_others_spend_is_left_to_them_and_only_while_they_do) {
  settle();
  // Some of another's for each of ours, at a server whose window has just been renewed
  const auto a_window = [&](double others_for_one) {
    double remaining = 2000;
    const TimePoint renewed = now + 60s;
    for (int i = 0; i < 500; ++i) {
      go();
      remaining -= 1 + others_for_one;
      schedule.learn({static_cast<std::int64_t>(remaining), std::chrono::ceil<std::chrono::seconds>(renewed - now)},
                     now, limits);
    }
    const TimePoint from = now;
    for (int i = 0; i < 50; ++i) go();
    const double rate = 50 / Seconds(now - from).count();
    now = renewed;
    return rate;
  };
  EXPECT_NEAR(a_window(0), 93, 2);
  const double beside = a_window(0.15);
  EXPECT_LT(beside * 1.15, 100);
  EXPECT_GT(beside * 1.15, 75);
  EXPECT_GT(a_window(0), 85);
}

TEST_F(ScheduleRules, after_a_long_silence_nothing_is_known) {
  settle();
  go();
  schedule.learn({1, 59s}, now, limits);
  now += 10min;
  EXPECT_EQ(next(), now);
  const TimePoint from = now;
  for (int i = 0; i < 62; ++i) go();
  EXPECT_GT(now - from, 900ms) << "careful anew";
  EXPECT_LT(now - from, 1100ms);
}

TEST_F(ScheduleRules, hostile_figures_hold_nobody_for_more_than_a_minute) {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t remaining : {least, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, most}) {
    for (const std::int64_t reset :
         {least, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, std::int64_t{86'400'000}, most}) {
      schedule = {};
      now = begin;
      go();
      go();
      for (int i = 0; i < 100; ++i) schedule.learn({remaining, std::chrono::milliseconds(reset)}, now, limits);
      EXPECT_LE(go(), begin + 61s) << remaining << ' ' << reset;
      EXPECT_LE(go() - begin, 122s) << remaining << ' ' << reset;
      const TimePoint from = now;
      for (int i = 0; i < 100; ++i) go();
      EXPECT_LE(now - from, 75s) << remaining << ' ' << reset;
    }
  }
}

TEST_F(ScheduleRules, any_rate_is_one_that_can_be_kept) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double odd : {0.0, -1.0, nan, -infinity}) {
    limits = schedule_limits({.per_second = odd, .per_minute = odd});
    EXPECT_EQ(limits.own.per_second, 100);
    EXPECT_EQ(limits.own.per_minute, 2000);
  }
  for (const double odd : {1e-300, infinity, 0.5, 1.0, 1e9}) {
    schedule = {};
    limits = schedule_limits({.per_second = odd, .per_minute = odd});
    EXPECT_EQ(next(), now);
    go();
    EXPECT_GT(next(), now);
    EXPECT_LE(next() - now, 24h);
  }
}

TEST_F(ScheduleRules, low_rates_are_kept_as_they_are_meant) {
  limits = schedule_limits({.per_second = 100, .per_minute = 30});
  std::vector<TimePoint> went;
  for (int i = 0; i < 100; ++i) went.push_back(go());
  for (std::size_t i = 30; i < went.size(); ++i) ASSERT_GE(went[i] - went[i - 30], 60s) << i;
  EXPECT_LT(went.back() - went.front(), 250s);
  schedule = {};
  limits = schedule_limits({.per_second = 0.5, .per_minute = 2000});
  const TimePoint first = go();
  EXPECT_NEAR(Seconds(go() - first).count(), 2, 0.2);
}

}  // namespace
}  // namespace connectid::detail
