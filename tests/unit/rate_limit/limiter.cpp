// How requests are paced, by a clock that the tests turn: at a server that counts as the API does, alone and beside
// others; in memory, and across processes through a file.
#include "rate_limit/limiter.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <thread>
#include <utility>
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

// Who shares what

/// When the next request of this pacer may go; nothing is kept of it.
TimePoint next(Pacer& pacer, TimePoint now) { return Turn(pacer).ask(now); }

/// Waits, and goes.
TimePoint go(Pacer& pacer, TimePoint now) {
  Turn turn(pacer);
  for (TimePoint at = turn.ask(now); at > now; at = turn.ask(now)) now = at;
  return now;
}

/// How many go from now on within this time.
int go_within(Pacer& pacer, TimePoint now, Duration time) {
  int count = 0;
  for (const TimePoint end = now + time; (now = go(pacer, now)) < end;) ++count;
  return count;
}

TEST(RateLimit, per_client_is_for_each_client_alone) {
  const RateLimit limit = RateLimit::per_client();
  Pacer first(limit), second(limit);
  go(first, begin);
  EXPECT_GT(next(first, begin), begin);
  EXPECT_EQ(next(second, begin), begin);
}

TEST(RateLimit, shared_is_for_all_clients_with_a_copy) {
  const RateLimit limit = RateLimit::shared();
  const RateLimit copy = limit;
  Pacer first(limit), second(copy);
  go(first, begin);
  EXPECT_GT(next(second, begin), begin);
  first.learn(0, 5s, begin);
  EXPECT_EQ(next(second, begin), begin + 5s);
}

TEST(RateLimit, share_is_a_part_of_both_rates) {
  for (const auto& [part, of_the_api] : {std::pair(0.25, 0.25),
                                         {1.0, 1.0},
                                         {7.0, 1.0},
                                         {0.0, 0.01},
                                         {-1.0, 0.01},
                                         {std::numeric_limits<double>::quiet_NaN(), 0.01}}) {
    Pacer pacer(RateLimit::share(part));
    const int expected = static_cast<int>(std::lround(1960 * of_the_api));
    EXPECT_NEAR(go_within(pacer, begin, 60s), expected, 1) << part;
  }
}

TEST(RateLimit, off_holds_nobody) {
  Pacer pacer(RateLimit::off());
  pacer.learn(0, 60s, begin);
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(next(pacer, begin), begin);
  EXPECT_EQ(RateLimit::off().problem(), "");
}

TEST(RateLimit, a_turn_that_ends_unused_gives_its_place_back) {
  Pacer pacer(RateLimit::per_client());
  go(pacer, begin);
  const TimePoint without = next(pacer, begin);
  {
    std::vector<Turn> crowd;
    for (int i = 0; i < 1000; ++i) {
      crowd.emplace_back(pacer);
      static_cast<void>(crowd.back().ask(begin));
    }
    EXPECT_GT(next(pacer, begin), begin + 10s);
  }
  EXPECT_EQ(next(pacer, begin), without);
}

TEST(RateLimit, a_place_moves_with_its_turn) {
  Pacer pacer(RateLimit::per_client());
  go(pacer, begin);
  Turn turn(pacer);
  const TimePoint at = turn.ask(begin);
  Turn moved(std::move(turn));
  EXPECT_EQ(moved.ask(begin), at);
  Turn other(pacer);
  EXPECT_GT(other.ask(begin), at);
  other = std::move(moved);  // gives its own back, and has the first
  EXPECT_EQ(other.ask(begin), at);
  EXPECT_GT(next(pacer, begin), at);
}

TEST(RateLimit, a_turn_that_was_used_takes_a_new_place) {
  Pacer pacer(RateLimit::per_client());
  Turn turn(pacer);
  EXPECT_EQ(turn.ask(begin), begin);
  EXPECT_GT(turn.ask(begin), begin);
}

// Across processes: what two handles share through a file, two processes do

class AcrossProcesses : public ::testing::Test {
 protected:
  AcrossProcesses() {
    std::string name = std::filesystem::temp_directory_path() / "connectid-pace-XXXXXX";
    folder = mkdtemp(name.data());
    path = folder / "pace";
  }
  ~AcrossProcesses() override { std::filesystem::remove_all(folder); }
  [[nodiscard]] RateLimit limit(Rates own = {}) const { return RateLimit::across_processes(path, own); }
  void spoil(std::streamoff offset) const {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset);
    file << "spoilt";
  }
  [[nodiscard]] std::string content() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path folder, path;
};

TEST_F(AcrossProcesses, two_processes_have_one_limit) {
  Pacer first(limit()), second(limit());
  TimePoint now = begin;
  std::vector<TimePoint> went;
  for (int i = 0; i < 3000; ++i) went.push_back(now = go(i % 3 ? first : second, now));
  for (std::size_t i = 98; i < went.size(); ++i) ASSERT_GE(went[i] - went[i - 98], 1s - 1us);
  for (std::size_t i = 1960; i < went.size(); ++i) ASSERT_GE(went[i] - went[i - 1960], 60s);
  EXPECT_LT(went.back() - begin, 75s);
}

TEST_F(AcrossProcesses, what_one_learns_holds_for_all_and_what_one_gives_back_is_anybodys) {
  Pacer first(limit()), second(limit());
  go(first, begin);
  const TimePoint without = next(second, begin);
  {
    Turn turn(first);
    static_cast<void>(turn.ask(begin));
    EXPECT_GT(next(second, begin), without);
  }
  EXPECT_EQ(next(second, begin), without);
  first.learn(0, 5s, begin);
  EXPECT_EQ(next(second, begin), begin + 5s);
}

TEST_F(AcrossProcesses, one_may_take_only_its_part_and_the_others_have_the_rest) {
  Pacer part(limit({.per_second = 10, .per_minute = 200}));
  Pacer all(limit());
  EXPECT_NEAR(go_within(part, begin, 60s), 196, 1);
  EXPECT_GT(go_within(all, begin + 60s, 1s), 60);
}

TEST_F(AcrossProcesses, those_of_the_same_part_have_it_together) {
  const Rates slow{.per_second = 100, .per_minute = 120};
  TimePoint now = begin;
  for (int i = 0; i < 118; ++i) {  // 98 % of 120, each by a process of its own
    Pacer pacer(limit(slow));
    now = go(pacer, now);
  }
  EXPECT_LT(now - begin, 10s);
  Pacer one_more(limit(slow));
  EXPECT_GE(next(one_more, now) - begin, 55s);
  Pacer of_another_part(limit({.per_second = 100, .per_minute = 300}));
  EXPECT_LT(next(of_another_part, now) - now, 1s);
}

TEST_F(AcrossProcesses, the_file_is_made_for_its_owner_alone) {
  EXPECT_EQ(limit().problem(), "");
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
}

TEST_F(AcrossProcesses, one_of_two_copies_is_enough) {
  TimePoint now = begin;
  {
    Pacer pacer(limit());
    for (int i = 0; i < 300; ++i) now = go(pacer, now);
  }
  const auto half = static_cast<std::streamoff>(content().size() / 2);
  const std::string sound = content();
  for (const std::streamoff at : {std::streamoff{200}, half + 200}) {
    std::ofstream(path, std::ios::binary) << sound;
    spoil(at);
    Pacer pacer(limit());
    EXPECT_GT(next(pacer, now), now) << at << ": it has forgotten who went";
  }
}

TEST_F(AcrossProcesses, a_file_that_cannot_be_read_is_begun_anew) {
  TimePoint now = begin;
  const auto written = [&] {
    Pacer pacer(limit());
    now = go(pacer, now + 10s);
    now = go(pacer, now + 1ns);
    EXPECT_GT(next(pacer, now), now);
  };
  const auto is_new = [&](const char* what) {
    Pacer pacer(limit());
    EXPECT_EQ(next(pacer, now), now) << what;
    EXPECT_GT(go(pacer, go(pacer, now)), now) << what;
    EXPECT_EQ(limit().problem(), "") << what;
  };
  written();
  const std::string good = content();
  const auto half = static_cast<std::streamoff>(good.size() / 2);
  spoil(200);
  spoil(half + 200);
  is_new("broken");
  written();
  spoil(16);
  spoil(half + 16);
  is_new("of another boot");
  for (const std::size_t size : {good.size() / 4, std::size_t{17}, std::size_t{1}, std::size_t{0}}) {
    written();
    std::filesystem::resize_file(path, size);
    is_new("short");
  }
  written();
  std::ofstream(path, std::ios::binary) << std::string(good.size(), '\0');
  is_new("zeros, as after a crash of the machine");
  written();
  now -= 1h;
  is_new("of a clock that is ahead");
  Pacer(limit()).learn(0, 60s, now);
  now -= 1h;
  is_new("of a clock that is ahead, before anybody went");
}

TEST_F(AcrossProcesses, what_is_no_file_of_ours_is_left_alone) {
  const auto alone = [&](const char* what) {
    const RateLimit limit = this->limit();
    EXPECT_NE(limit.problem().find(path.string()), std::string::npos) << what;
    EXPECT_NE(limit.problem().find(what), std::string::npos) << limit.problem();
    Pacer pacer(limit);
    EXPECT_EQ(go(pacer, begin), begin);
    EXPECT_GT(next(pacer, begin), begin) << "not paced: " << what;
    pacer.learn(0, 5s, begin);
    EXPECT_EQ(next(pacer, begin), begin + 5s);
  };
  std::ofstream(path) << "somebody's orders, and not to be lost";
  alone("is not a file of this library's");
  EXPECT_EQ(content(), "somebody's orders, and not to be lost");
  std::filesystem::remove(path);
  std::filesystem::create_symlink(folder / "elsewhere", path);
  alone("cannot be opened: Too many levels of symbolic links");
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  alone("cannot be opened: Is a directory");
  std::filesystem::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  alone("is not a regular file");
  path = folder / "no such directory" / "pace";
  alone("cannot be opened: No such file or directory");
}

TEST_F(AcrossProcesses, a_file_that_was_removed_is_made_anew) {
  Pacer first(limit());
  go(first, begin);
  std::filesystem::remove(path);
  const TimePoint now = go(first, begin + 1s);
  EXPECT_TRUE(std::filesystem::exists(path));
  Pacer second(limit());
  EXPECT_GT(next(second, now), now);
}

/// Another process that has the lock.
class LockHeld {
 public:
  explicit LockHeld(const std::filesystem::path& path) : fd_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    EXPECT_EQ(flock(fd_, LOCK_EX | LOCK_NB), 0);
  }
  LockHeld(const LockHeld&) = delete;
  LockHeld& operator=(const LockHeld&) = delete;
  ~LockHeld() { close(fd_); }

 private:
  int fd_;
};

TEST_F(AcrossProcesses, a_lock_is_not_waited_for_and_after_a_second_not_even_asked_again) {
  const RateLimit limit = this->limit();
  Pacer pacer(limit);
  TimePoint now = begin;
  {
    const LockHeld held(path);
    Turn turn(pacer);
    while (now <= begin + 1s) {
      const TimePoint at = turn.ask(now);
      ASSERT_GE(at, now + 1ms);
      ASSERT_LT(at, now + 2ms);
      now = at;
    }
    EXPECT_EQ(limit.problem(), "") << "so far it is one like any other";
    EXPECT_EQ(turn.ask(now), now);
    EXPECT_EQ(limit.problem(), path.string() + ": has been locked by another process for too long");
    EXPECT_GT(next(pacer, now), now) << "alone, but paced";
    pacer.learn(0, 5s, now);
    EXPECT_EQ(next(pacer, now), now + 5s);
  }
  EXPECT_EQ(next(pacer, now), now) << "the file knows nothing of all that";
  EXPECT_EQ(limit.problem(), "");
  for (int i = 0; i < 3; ++i) {
    const LockHeld held(path);
    EXPECT_GT(next(pacer, now), now) << "busy anew, and not since then";
    now += 5s;
  }
}

TEST_F(AcrossProcesses, a_lock_that_is_held_for_ever_ends_only_the_first_of_calls_with_little_time) {
  Pacer pacer(limit());
  const LockHeld held(path);
  {
    Turn too_late(pacer);
    for (TimePoint now = begin; now < begin + 800ms;) now = too_late.ask(now);
  }
  EXPECT_EQ(go(pacer, begin + 1min), begin + 1min);
  EXPECT_EQ(go(pacer, begin + 2min), begin + 2min);
}

TEST_F(AcrossProcesses, who_gives_up_after_a_long_wait_spoils_nothing) {
  for (const bool in_the_other_copy : {false, true}) {
    std::filesystem::remove(path);
    Pacer waits(limit()), goes(limit());
    goes.learn(0, 60s, begin);
    std::optional<Turn> turn(waits);
    EXPECT_GT(turn->ask(begin), begin + 59s);
    if (in_the_other_copy) goes.learn(0, 1s, begin);
    EXPECT_EQ(go(goes, begin + 61s), begin + 61s);
    goes.learn(0, 60s, begin + 61s);
    turn.reset();
    EXPECT_EQ(next(goes, begin + 62s), begin + 121s);
  }
}

TEST_F(AcrossProcesses, a_place_of_the_time_alone_is_not_one_of_the_file) {
  Pacer pacer(limit());
  TimePoint now = begin;
  std::optional<Turn> alone;
  {
    const LockHeld held(path);
    Turn first(pacer);
    while (first.ask(now) > now) now += 2ms;
    alone.emplace(pacer);
    EXPECT_GT(alone->ask(now), now);
  }
  const TimePoint at = alone->ask(now);
  EXPECT_GT(at, now) << "it stays in the line where it stands";
  EXPECT_EQ(alone->ask(at), at);
}

TEST_F(AcrossProcesses, an_uncontended_turn_is_cheap) {
  const auto cost = [](const RateLimit& limit, int turns, Duration apart) {
    Pacer pacer(limit);
    const auto from = std::chrono::steady_clock::now();
    for (int i = 0; i < turns; ++i) EXPECT_EQ(next(pacer, begin + i * apart), begin + i * apart);
    return std::chrono::nanoseconds(std::chrono::steady_clock::now() - from).count() / turns;
  };
  const auto in_memory = cost(RateLimit::per_client({.per_second = 1e6, .per_minute = 1e7}), 100'000, 1ms);
  const auto through_a_file = cost(limit(), 1000, 10s);
  std::cout << "an uncontended turn takes " << in_memory << " ns in memory, " << through_a_file
            << " ns through a file\n";
  EXPECT_LT(in_memory, 20'000);  // a wrong mechanism breaks these, not a busy machine
  EXPECT_LT(through_a_file, 20'000'000);
}

TEST_F(AcrossProcesses, who_is_killed_at_any_moment_leaves_a_file_that_can_be_used) {
  const RateLimit limit = this->limit();
  Pacer(limit).learn(0, 60s, begin);  // what is to be remembered
  std::mt19937 random(1);
  std::uniform_int_distribution<int> pause(0, 3000);
  for (int i = 0; i < 200; ++i) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    const pid_t child = fork();
    if (child == 0) {
      Pacer pacer(this->limit());
      static_cast<void>(next(pacer, begin));
      static_cast<void>(!write(ends[1], "", 1));  // it is at it
      for (;;) static_cast<void>(next(pacer, begin));
    }
    close(ends[1]);
    char byte = 0;
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    std::this_thread::sleep_for(std::chrono::microseconds(pause(random)));
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    Pacer pacer(limit);
    ASSERT_GE(next(pacer, begin), begin + 60s) << i;
    ASSERT_EQ(limit.problem(), "") << i;
  }
}

/// By the real clock.
void wait(Turn& turn) {
  for (;;) {
    const TimePoint now = std::chrono::steady_clock::now();
    const TimePoint at = turn.ask(now);
    if (at <= now) return;
    std::this_thread::sleep_until(at);
  }
}

TEST(RateLimitThreads, all_go_and_none_too_early) {
  constexpr int threads = 8;
  constexpr int each = 60;
  const RateLimit limit = RateLimit::shared({.per_second = 1000, .per_minute = 60'000});
  const auto from = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < threads; ++t) {
      crowd.emplace_back([&limit, t] {
        Pacer pacer(limit);
        for (int i = 0; i < each; ++i) {
          Turn turn(pacer);
          if (i % 10 == t) {  // it gives up
            static_cast<void>(turn.ask(std::chrono::steady_clock::now()));
          } else {
            wait(turn);
          }
          pacer.learn(100'000, 30s, std::chrono::steady_clock::now());
        }
      });
    }
  }
  const Seconds took = std::chrono::steady_clock::now() - from;
  EXPECT_GT(took.count(), (threads * (each - 6) - 1) / 980.0);
}

using AcrossProcessesThreads = AcrossProcesses;

TEST_F(AcrossProcessesThreads, share_the_file_as_processes_do) {
  constexpr int threads = 4;
  constexpr int each = 20;
  const auto from = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < threads; ++t) {
      crowd.emplace_back([this] {
        Pacer pacer(limit());
        for (int i = 0; i < each; ++i) {
          Turn turn(pacer);
          wait(turn);
          pacer.learn(1900, 30s, std::chrono::steady_clock::now());
        }
      });
    }
  }
  const Seconds took = std::chrono::steady_clock::now() - from;
  EXPECT_GT(took.count(), (threads * each - 1) / 98.0);
  EXPECT_EQ(limit().problem(), "");
}
}  // namespace
}  // namespace connectid
