// When a client's calls are kept back because the service is down: one row a rule, by a simulated clock.

#include "rate_limit/circuit_breaker.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

namespace connectid::detail {
namespace {

using namespace std::chrono_literals;
using Pass = Circuit::Pass;
using enum Health;

/// One call after a while: how it is let through, and how it ends.
struct Step {
  std::chrono::milliseconds after;
  Pass pass;
  Health health = unclear;  ///< says nothing where it is refused
  std::chrono::milliseconds retry_in{0};
};

struct Row {
  const char* name;
  int break_after;
  std::vector<Step> steps;
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

class CircuitOfCalls : public testing::TestWithParam<Row> {};

TEST_P(CircuitOfCalls, follows_the_rule) {
  Circuit circuit(GetParam().break_after);
  Circuit::TimePoint now{1h};
  for (std::size_t i = 0; i < GetParam().steps.size(); ++i) {
    const Step& step = GetParam().steps[i];
    SCOPED_TRACE(i);
    now += step.after;
    const Pass pass = circuit.ask(now);
    EXPECT_EQ(static_cast<int>(pass), static_cast<int>(step.pass));
    if (pass == Pass::refused) {
      EXPECT_EQ(circuit.why(now).retry_in, step.retry_in);
      EXPECT_FALSE(circuit.why(now).probing);
    } else if (pass == Pass::probe && step.health == unclear) {
      circuit.give_back_the_probe();
    } else {
      circuit.ended(pass, step.health, "HTTP 503", now);
    }
  }
}

/// So many failures at once, which are all let through.
std::vector<Step> down(int failures, std::vector<Step> then = {}) {
  std::vector<Step> steps(static_cast<std::size_t>(failures), {1ms, Pass::normal, fails_at_once});
  steps.insert(steps.end(), then.begin(), then.end());
  return steps;
}

const Row rows[] = {
    {"fewer_than_the_limit_open_nothing", 5, down(4, {{1ms, Pass::normal, responds}})},
    {"it_opens_after_so_many_in_a_row", 5, down(5, {{0ms, Pass::refused, unclear, 1000ms}})},
    {"a_response_ends_the_row", 5,
     down(4, {{1ms, Pass::normal, responds},
              {1ms, Pass::normal, fails_at_once},
              {1ms, Pass::normal, fails_at_once},
              {1ms, Pass::normal, responds}})},
    {"what_tells_nothing_neither_ends_the_row_nor_counts", 3,
     down(2, {{1ms, Pass::normal, unclear},
              {1ms, Pass::normal, unclear},
              {1ms, Pass::normal, fails_at_once},
              {0ms, Pass::refused, unclear, 1000ms}})},
    {"a_slow_failure_neither_ends_the_row_nor_counts", 3,
     down(2, {{1ms, Pass::normal, fails},
              {1ms, Pass::normal, fails},
              {1ms, Pass::normal, fails_at_once},
              {0ms, Pass::refused, unclear, 1000ms}})},
    {"one_is_enough_where_one_is_chosen", 1, down(1, {{0ms, Pass::refused, unclear, 1000ms}})},
    {"zero_never_opens", 0, down(100)},
    {"less_than_zero_never_opens", -1, down(100)},
    {"it_tells_how_long_it_stays_open", 5,
     down(
         5,
         {{400ms, Pass::refused, unclear, 600ms}, {599ms, Pass::refused, unclear, 1ms}, {1ms, Pass::probe, responds}})},
    {"a_probe_that_is_answered_closes_it", 5,
     down(5, {{1s, Pass::probe, responds}, {0ms, Pass::normal, responds}, {0ms, Pass::normal, fails_at_once}})},
    {"closed_again_it_counts_from_nothing", 3,
     down(3, {{1s, Pass::probe, responds},
              {0ms, Pass::normal, fails_at_once},
              {0ms, Pass::normal, fails_at_once},
              {0ms, Pass::normal, fails_at_once},
              {0ms, Pass::refused, unclear, 1000ms}})},
    {"a_failed_probe_doubles_the_pause", 5,
     down(5, {{1s, Pass::probe, fails_at_once},
              {1999ms, Pass::refused, unclear, 1ms},
              {1ms, Pass::probe, fails_at_once},
              {0ms, Pass::refused, unclear, 4000ms}})},
    {"a_probe_may_take_long_to_fail", 5, down(5, {{1s, Pass::probe, fails}, {0ms, Pass::refused, unclear, 2000ms}})},
    {"the_pause_ends_at_30_seconds", 5,
     down(5, {{1s, Pass::probe, fails},
              {2s, Pass::probe, fails},
              {4s, Pass::probe, fails},
              {8s, Pass::probe, fails},
              {16s, Pass::probe, fails},
              {0ms, Pass::refused, unclear, 30s},
              {30s, Pass::probe, fails},
              {0ms, Pass::refused, unclear, 30s}})},
    {"opened_anew_it_begins_with_a_second", 1,
     down(1, {{1s, Pass::probe, fails},
              {2s, Pass::probe, responds},
              {0ms, Pass::normal, fails_at_once},
              {0ms, Pass::refused, unclear, 1000ms}})},
    {"a_probe_that_tells_nothing_frees_its_place", 5,
     down(5, {{1s, Pass::probe, unclear}, {0ms, Pass::probe, unclear}, {0ms, Pass::probe, responds}})},
};

INSTANTIATE_TEST_SUITE_P(Table, CircuitOfCalls, testing::ValuesIn(rows),
                         [](const auto& row) { return row.param.name; });

TEST(CircuitState, lets_exactly_one_probe_through) {
  Circuit circuit(1);
  const Circuit::TimePoint now{1h};
  circuit.ended(circuit.ask(now), fails_at_once, "reset while waiting for the response", now);
  EXPECT_EQ(circuit.why(now).since, now);
  EXPECT_EQ(circuit.why(now).last, "reset while waiting for the response");
  ASSERT_EQ(circuit.ask(now + 1s), Pass::probe);
  EXPECT_EQ(circuit.ask(now + 1s), Pass::refused);
  EXPECT_EQ(circuit.ask(now + 1h), Pass::refused);
  EXPECT_TRUE(circuit.why(now + 1h).probing);
  EXPECT_EQ(circuit.why(now + 1h).retry_in, 1s);
  circuit.ended(Pass::probe, fails, "HTTP 502", now + 1h);
  EXPECT_EQ(circuit.why(now + 1h).since, now) << "it never closed";
  EXPECT_EQ(circuit.why(now + 1h).last, "HTTP 502");
}

TEST(CircuitState, what_was_let_through_before_it_opened_changes_nothing) {
  Circuit circuit(1);
  const Circuit::TimePoint now{1h};
  const Pass before = circuit.ask(now);
  circuit.ended(circuit.ask(now), fails_at_once, "HTTP 503", now);
  circuit.ended(before, responds, "HTTP 200", now);
  EXPECT_EQ(circuit.ask(now), Pass::refused);
  circuit.ended(before, fails_at_once, "HTTP 503", now + 500ms);
  EXPECT_EQ(circuit.ask(now + 1s), Pass::probe) << "the pause was made longer";
}

TEST(CircuitPassage, its_end_gives_the_place_of_the_probe_back) {
  CircuitBreaker breaker(1);
  const Circuit::TimePoint now{1h};
  Passage first(breaker);
  ASSERT_FALSE(first.ask(now));
  first.ended(fails_at_once, "HTTP 503", now);
  {
    Passage probe(breaker);
    ASSERT_FALSE(probe.ask(now + 1s));
    EXPECT_FALSE(probe.ask(now + 2s)) << "it may be asked again";
    EXPECT_TRUE(first.ask(now + 2s));
    const Passage moved(std::move(probe));
    EXPECT_TRUE(first.ask(now + 2s)) << "moving it gave the place back";
  }
  EXPECT_FALSE(first.ask(now + 2s));
  first.give_back();
  Passage second(breaker);
  ASSERT_FALSE(second.ask(now + 2s));
  second.ended(responds, "HTTP 200", now + 2s);
  EXPECT_FALSE(first.ask(now + 2s));
}

TEST(CircuitBreakerThreads, one_of_many_is_the_probe) {
  CircuitBreaker breaker(1);
  const Circuit::TimePoint now{1h};
  Passage first(breaker);
  ASSERT_FALSE(first.ask(now));
  first.ended(fails_at_once, "HTTP 503", now);
  std::vector<Passage> passages;
  for (int i = 0; i < 8; ++i) passages.emplace_back(breaker);
  std::atomic<int> let_through{0};
  {
    std::vector<std::jthread> threads;
    for (Passage& passage : passages) {
      threads.emplace_back([&] {
        if (!passage.ask(now + 1s)) ++let_through;
      });
    }
  }
  EXPECT_EQ(let_through, 1);
}

}  // namespace
}  // namespace connectid::detail
