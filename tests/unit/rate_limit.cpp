// How requests are paced, by a clock that the tests turn: at a server that counts as the API does, alone and beside
// others; in memory, and across processes through a file.
#include "rate_limit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <iostream>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace connectid {
namespace {

using namespace std::chrono_literals;
using detail::Pacer;
using detail::Turn;
using TimePoint = Pacer::TimePoint;
using Duration = TimePoint::duration;
using Seconds = std::chrono::duration<double>;

const TimePoint begin{1'000'000s};

// A server that counts

enum class Counts { sliding, by_the_clock };
enum class Rounds { down, up };

/// Lets through 100 in a second and 2,000 in a minute, in any such time or in those that its clock shows.
class Server {
 public:
  Server(Counts counts, Rounds rounds, Duration clock) : counts_(counts), rounds_(rounds), clock_(clock) {}

  struct Answer {
    bool let_in;
    std::int64_t remaining;
    std::chrono::seconds reset;
  };
  Answer ask(TimePoint now) {
    forget(second_, 1s, now);
    forget(minute_, 60s, now);
    const bool let_in = second_.size() < 100 && minute_.size() < 2000;
    if (let_in) {
      second_.push_back(now);
      minute_.push_back(now);
    }
    return {let_in, 2000 - static_cast<std::int64_t>(minute_.size()), reset(now)};
  }

 private:
  [[nodiscard]] Duration in_window(Duration length, TimePoint now) const {
    return (now.time_since_epoch() + clock_) % length;
  }
  void forget(std::deque<TimePoint>& times, Duration length, TimePoint now) const {
    const TimePoint oldest = counts_ == Counts::sliding ? now - length : now - in_window(length, now) - 1ns;
    while (!times.empty() && times.front() <= oldest) times.pop_front();
  }
  [[nodiscard]] std::chrono::seconds reset(TimePoint now) const {
    const Duration left = counts_ == Counts::sliding ? minute_.empty() ? Duration(0) : minute_.front() + 60s - now
                                                     : 60s - in_window(60s, now);
    return rounds_ == Rounds::up ? std::chrono::ceil<std::chrono::seconds>(left)
                                 : std::chrono::floor<std::chrono::seconds>(left);
  }

  Counts counts_;
  Rounds rounds_;
  Duration clock_;
  std::deque<TimePoint> second_, minute_;
};

// Workers that send to it

struct Setting {
  const char* name;
  Counts counts;
  Rounds rounds = Rounds::down;
  Duration clock = 0s;  ///< what the server's clock shows at the beginning
  Duration least_latency = 20ms, most_latency = 200ms;
  double others = 0;   ///< requests of another client, a second
  double most = 1.03;  ///< times the ideal; more where the server says "only so many" for up to a second too long
};
struct Outcome {
  Duration took{};
  int refused = 0;
  int others_refused = 0;
};

/// So many starts by 64 workers; each asks, waits, sends, waits for the answer, and begins anew.
Outcome send(Pacer& pacer, const Setting& setting, int starts, unsigned seed) {
  struct Event {
    TimePoint at;
    int worker;
    enum { wake, arrive, answered, other } what;
    bool operator<(const Event& b) const { return at > b.at; }
  };
  constexpr int workers = 64;
  Server server(setting.counts, setting.rounds, setting.clock - begin.time_since_epoch() % 60s);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> latency(Seconds(setting.least_latency).count(),
                                                 Seconds(setting.most_latency).count());
  const auto one_way = [&] { return std::chrono::duration_cast<Duration>(Seconds(latency(random) / 2)); };
  std::priority_queue<Event> events;
  std::vector<std::optional<Turn>> turns(workers);
  std::vector<Server::Answer> answers(workers);
  Outcome outcome;
  int begun = 0, done = 0;
  TimePoint now = begin;
  if (setting.others > 0) {  // it has been there for a while
    for (TimePoint at = begin - 61s; at < begin;
         at += std::chrono::duration_cast<Duration>(Seconds(1 / setting.others)))
      server.ask(at);
    events.push({begin, 0, Event::other});
  }
  for (int worker = 0; worker < workers; ++worker) events.push({begin, worker, Event::wake});
  while (done < starts) {
    const Event event = events.top();
    events.pop();
    now = event.at;
    auto& turn = turns[static_cast<std::size_t>(event.worker)];
    auto& answer = answers[static_cast<std::size_t>(event.worker)];
    switch (event.what) {
      case Event::other:
        if (!server.ask(now).let_in) ++outcome.others_refused;
        events.push({now + std::chrono::duration_cast<Duration>(Seconds(1 / setting.others)), 0, Event::other});
        break;
      case Event::wake:
        if (!turn) {
          if (begun == starts) break;
          ++begun;
          turn.emplace(pacer);
        }
        if (const TimePoint at = turn->ask(now); at > now) {
          events.push({at, event.worker, Event::wake});
        } else {
          turn.reset();
          events.push({now + one_way(), event.worker, Event::arrive});
        }
        break;
      case Event::arrive:
        answer = server.ask(now);
        if (!answer.let_in) ++outcome.refused;
        events.push({now + one_way(), event.worker, Event::answered});
        break;
      case Event::answered:
        pacer.learn(answer.remaining, answer.reset, now);
        ++done;
        events.push({now, event.worker, Event::wake});
    }
  }
  outcome.took = now - begin;
  return outcome;
}

/// What the best client can do that must be inside both limits in every second and every minute, wherever they begin:
/// each minute's allowance at the rate of a second, then a pause to the minute's end.
Duration ideal(int starts, double others) {
  const double a_minute = 2000 - 60 * others;
  const double a_second = 100 - others;
  const double minutes = std::floor((starts - 1) / a_minute);
  return std::chrono::duration_cast<Duration>(Seconds(60 * minutes + (starts - minutes * a_minute) / a_second));
}

class Paced : public ::testing::TestWithParam<Setting> {};

TEST_P(Paced, five_thousand_starts_are_as_quick_as_can_be_and_none_is_refused) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    Pacer pacer(RateLimit::per_client());
    const Outcome outcome = send(pacer, GetParam(), 5000, seed);
    const double best = Seconds(ideal(5000, GetParam().others)).count();
    const double took = Seconds(outcome.took).count();
    std::cout << GetParam().name << ": " << took << " s, the ideal is " << best << " s (" << 100 * (took / best - 1)
              << " % more); refused: " << outcome.refused << ", of the other client: " << outcome.others_refused
              << '\n';
    EXPECT_EQ(outcome.refused, 0);
    EXPECT_EQ(outcome.others_refused, 0);
    EXPECT_LE(took, GetParam().most * best);
  }
}

constexpr double third = 2000.0 / 3 / 60;
INSTANTIATE_TEST_SUITE_P(
    Servers, Paced,
    ::testing::Values(Setting{"sliding", Counts::sliding},
                      Setting{"sliding_rounds_up", Counts::sliding, Rounds::up, 0s, 20ms, 200ms, 0, 1.04},
                      Setting{"clock_at_0", Counts::by_the_clock},
                      Setting{"clock_at_5", Counts::by_the_clock, Rounds::down, 5300ms},
                      Setting{"clock_at_45", Counts::by_the_clock, Rounds::up, 45700ms},
                      Setting{"clock_slow", Counts::by_the_clock, Rounds::up, 10s, 300ms, 600ms},
                      Setting{"sliding_others", Counts::sliding, Rounds::down, 0s, 20ms, 200ms, third},
                      Setting{"sliding_others_rounds_up", Counts::sliding, Rounds::up, 0s, 20ms, 200ms, third},
                      Setting{"clock_at_0_others", Counts::by_the_clock, Rounds::down, 0s, 20ms, 200ms, third},
                      Setting{"clock_at_0_others_rounds_up", Counts::by_the_clock, Rounds::up, 0s, 20ms, 200ms, third},
                      Setting{"clock_at_5_others", Counts::by_the_clock, Rounds::down, 5300ms, 20ms, 200ms, third},
                      Setting{"clock_at_31_others", Counts::by_the_clock, Rounds::up, 31s, 20ms, 200ms, third},
                      Setting{"clock_at_45_others", Counts::by_the_clock, Rounds::up, 45700ms, 20ms, 200ms, third},
                      Setting{"clock_at_55_others", Counts::by_the_clock, Rounds::down, 55500ms, 20ms, 200ms, third},
                      Setting{"clock_slow_others", Counts::by_the_clock, Rounds::down, 10s, 300ms, 600ms, third}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace connectid
