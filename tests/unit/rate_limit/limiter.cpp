// How requests are limited, by a clock that the tests turn: at a server that counts as the API does, alone and
// beside others; in memory, and across processes through a file.
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
using detail::Limiter;
using detail::Reservation;
using TimePoint = Limiter::TimePoint;
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

  struct Response {
    bool let_in;
    std::int64_t remaining;
    std::chrono::seconds reset;
  };
  Response ask(TimePoint now) {
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
struct Statistics {
  Duration took{};
  int refused = 0;
  int others_refused = 0;
};

/// So many starts by 64 workers; each asks, waits, sends, waits for the response, and begins anew.
Statistics send(Limiter& limiter, const Setting& setting, int starts, unsigned seed) {
  struct Event {
    TimePoint at;
    int worker;
    enum { wake, arrive, responded, other } what;
    bool operator<(const Event& b) const { return at > b.at; }
  };
  constexpr int workers = 64;
  Server server(setting.counts, setting.rounds, setting.clock - begin.time_since_epoch() % 60s);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> latency(Seconds(setting.least_latency).count(),
                                                 Seconds(setting.most_latency).count());
  const auto one_way = [&] { return std::chrono::duration_cast<Duration>(Seconds(latency(random) / 2)); };
  std::priority_queue<Event> events;
  std::vector<std::optional<Reservation>> reservations(workers);
  std::vector<Server::Response> responses(workers);
  Statistics run;
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
    auto& reservation = reservations[static_cast<std::size_t>(event.worker)];
    auto& response = responses[static_cast<std::size_t>(event.worker)];
    switch (event.what) {
      case Event::other:
        if (!server.ask(now).let_in) ++run.others_refused;
        events.push({now + std::chrono::duration_cast<Duration>(Seconds(1 / setting.others)), 0, Event::other});
        break;
      case Event::wake:
        if (!reservation) {
          if (begun == starts) break;
          ++begun;
          reservation.emplace(limiter);
        }
        if (const TimePoint at = reservation->ask(now); at > now) {
          events.push({at, event.worker, Event::wake});
        } else {
          reservation.reset();
          events.push({now + one_way(), event.worker, Event::arrive});
        }
        break;
      case Event::arrive:
        response = server.ask(now);
        if (!response.let_in) ++run.refused;
        events.push({now + one_way(), event.worker, Event::responded});
        break;
      case Event::responded:
        limiter.learn({response.remaining, response.reset}, now);
        ++done;
        events.push({now, event.worker, Event::wake});
    }
  }
  run.took = now - begin;
  return run;
}

/// What the best client can do that must be inside both limits in every second and every minute, wherever they begin:
/// each minute's allowance at the rate of a second, then a pause to the minute's end.
Duration ideal(int starts, double others) {
  const double a_minute = 2000 - 60 * others;
  const double a_second = 100 - others;
  const double minutes = std::floor((starts - 1) / a_minute);
  return std::chrono::duration_cast<Duration>(Seconds(60 * minutes + (starts - minutes * a_minute) / a_second));
}

class RateLimited : public ::testing::TestWithParam<Setting> {};

TEST_P(RateLimited, five_thousand_starts_are_as_quick_as_can_be_and_none_is_refused) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    Limiter limiter(RateLimit::per_client());
    const Statistics run = send(limiter, GetParam(), 5000, seed);
    const double best = Seconds(ideal(5000, GetParam().others)).count();
    const double took = Seconds(run.took).count();
    std::cout << GetParam().name << ": " << took << " s, the ideal is " << best << " s (" << 100 * (took / best - 1)
              << " % more); refused: " << run.refused << ", of the other client: " << run.others_refused << '\n';
    EXPECT_EQ(run.refused, 0);
    EXPECT_EQ(run.others_refused, 0);
    EXPECT_LE(took, GetParam().most * best);
  }
}

constexpr double third = 2000.0 / 3 / 60;
INSTANTIATE_TEST_SUITE_P(
    Servers, RateLimited,
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

/// When the next request of this limiter may go; nothing is kept of it.
TimePoint next(Limiter& limiter, TimePoint now) { return Reservation(limiter).ask(now); }

/// Waits, and goes.
TimePoint go(Limiter& limiter, TimePoint now) {
  Reservation reservation(limiter);
  for (TimePoint at = reservation.ask(now); at > now; at = reservation.ask(now)) now = at;
  return now;
}

/// How many go from now on within this time.
int go_within(Limiter& limiter, TimePoint now, Duration time) {
  int count = 0;
  for (const TimePoint end = now + time; (now = go(limiter, now)) < end;) ++count;
  return count;
}

TEST(RateLimit, per_client_is_for_each_client_alone) {
  const RateLimit limit = RateLimit::per_client();
  Limiter first(limit), second(limit);
  go(first, begin);
  EXPECT_GT(next(first, begin), begin);
  EXPECT_EQ(next(second, begin), begin);
}

TEST(RateLimit, shared_is_for_all_clients_with_a_copy) {
  const RateLimit limit = RateLimit::shared();
  const RateLimit copy = limit;
  Limiter first(limit), second(copy);
  go(first, begin);
  EXPECT_GT(next(second, begin), begin);
  first.learn({0, 5s}, begin);
  EXPECT_EQ(next(second, begin), begin + 5s);
}

TEST(RateLimit, share_is_a_part_of_both_rates) {
  for (const auto& [part, of_the_api] : {std::pair(0.25, 0.25),
                                         {1.0, 1.0},
                                         {7.0, 1.0},
                                         {0.0, 0.01},
                                         {-1.0, 0.01},
                                         {std::numeric_limits<double>::quiet_NaN(), 0.01}}) {
    Limiter limiter(RateLimit::share(part));
    const int expected = static_cast<int>(std::lround(1960 * of_the_api));
    EXPECT_NEAR(go_within(limiter, begin, 60s), expected, 1) << part;
  }
}

TEST(RateLimit, off_holds_nobody) {
  Limiter limiter(RateLimit::off());
  limiter.learn({0, 60s}, begin);
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(next(limiter, begin), begin);
  EXPECT_EQ(RateLimit::off().error(), "");
}

TEST(RateLimit, a_reservation_that_ends_unused_gives_its_slot_back) {
  Limiter limiter(RateLimit::per_client());
  go(limiter, begin);
  const TimePoint without = next(limiter, begin);
  {
    std::vector<Reservation> crowd;
    for (int i = 0; i < 1000; ++i) {
      crowd.emplace_back(limiter);
      static_cast<void>(crowd.back().ask(begin));
    }
    EXPECT_GT(next(limiter, begin), begin + 10s);
  }
  EXPECT_EQ(next(limiter, begin), without);
}

TEST(RateLimit, a_slot_moves_with_its_reservation) {
  Limiter limiter(RateLimit::per_client());
  go(limiter, begin);
  Reservation reservation(limiter);
  const TimePoint at = reservation.ask(begin);
  Reservation moved(std::move(reservation));
  EXPECT_EQ(moved.ask(begin), at);
  Reservation other(limiter);
  EXPECT_GT(other.ask(begin), at);
  other = std::move(moved);  // gives its own back, and has the first
  EXPECT_EQ(other.ask(begin), at);
  EXPECT_GT(next(limiter, begin), at);
}

TEST(RateLimit, a_reservation_that_was_used_takes_a_new_slot) {
  Limiter limiter(RateLimit::per_client());
  Reservation reservation(limiter);
  EXPECT_EQ(reservation.ask(begin), begin);
  EXPECT_GT(reservation.ask(begin), begin);
}

// Across processes: what two handles share through a file, two processes do

class AcrossProcesses : public ::testing::Test {
 protected:
  AcrossProcesses() {
    std::string name = std::filesystem::temp_directory_path() / "connectid-rate-limit-XXXXXX";
    directory = mkdtemp(name.data());
    path = directory / "rate-limit";
  }
  ~AcrossProcesses() override { std::filesystem::remove_all(directory); }
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

  std::filesystem::path directory, path;
};

TEST_F(AcrossProcesses, two_processes_have_one_limit) {
  Limiter first(limit()), second(limit());
  TimePoint now = begin;
  std::vector<TimePoint> went;
  for (int i = 0; i < 3000; ++i) went.push_back(now = go(i % 3 ? first : second, now));
  for (std::size_t i = 98; i < went.size(); ++i) ASSERT_GE(went[i] - went[i - 98], 1s - 1us);
  for (std::size_t i = 1960; i < went.size(); ++i) ASSERT_GE(went[i] - went[i - 1960], 60s);
  EXPECT_LT(went.back() - begin, 75s);
}

TEST_F(AcrossProcesses, what_one_learns_holds_for_all_and_what_one_gives_back_is_anybodys) {
  Limiter first(limit()), second(limit());
  go(first, begin);
  const TimePoint without = next(second, begin);
  {
    Reservation reservation(first);
    static_cast<void>(reservation.ask(begin));
    EXPECT_GT(next(second, begin), without);
  }
  EXPECT_EQ(next(second, begin), without);
  first.learn({0, 5s}, begin);
  EXPECT_EQ(next(second, begin), begin + 5s);
}

TEST_F(AcrossProcesses, one_may_take_only_its_part_and_the_others_have_the_rest) {
  Limiter part(limit({.per_second = 10, .per_minute = 200}));
  Limiter all(limit());
  EXPECT_NEAR(go_within(part, begin, 60s), 196, 1);
  EXPECT_GT(go_within(all, begin + 60s, 1s), 60);
}

TEST_F(AcrossProcesses, those_of_the_same_part_have_it_together) {
  const Rates slow{.per_second = 100, .per_minute = 120};
  TimePoint now = begin;
  for (int i = 0; i < 118; ++i) {  // 98 % of 120, each by a process of its own
    Limiter limiter(limit(slow));
    now = go(limiter, now);
  }
  EXPECT_LT(now - begin, 10s);
  Limiter one_more(limit(slow));
  EXPECT_GE(next(one_more, now) - begin, 55s);
  Limiter of_another_part(limit({.per_second = 100, .per_minute = 300}));
  EXPECT_LT(next(of_another_part, now) - now, 1s);
}

TEST_F(AcrossProcesses, the_file_is_made_for_its_owner_alone) {
  EXPECT_EQ(limit().error(), "");
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
}

TEST_F(AcrossProcesses, one_of_two_copies_is_enough) {
  TimePoint now = begin;
  {
    Limiter limiter(limit());
    for (int i = 0; i < 300; ++i) now = go(limiter, now);
  }
  const auto half = static_cast<std::streamoff>(content().size() / 2);
  const std::string sound = content();
  for (const std::streamoff at : {std::streamoff{200}, half + 200}) {
    std::ofstream(path, std::ios::binary) << sound;
    spoil(at);
    Limiter limiter(limit());
    EXPECT_GT(next(limiter, now), now) << at << ": it has forgotten who went";
  }
}

TEST_F(AcrossProcesses, a_file_that_cannot_be_read_is_begun_anew) {
  TimePoint now = begin;
  const auto written = [&] {
    Limiter limiter(limit());
    now = go(limiter, now + 10s);
    now = go(limiter, now + 1ns);
    EXPECT_GT(next(limiter, now), now);
  };
  const auto is_new = [&](const char* what) {
    Limiter limiter(limit());
    EXPECT_EQ(next(limiter, now), now) << what;
    EXPECT_GT(go(limiter, go(limiter, now)), now) << what;
    EXPECT_EQ(limit().error(), "") << what;
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
  Limiter(limit()).learn({0, 60s}, now);
  now -= 1h;
  is_new("of a clock that is ahead, before anybody went");
}

TEST_F(AcrossProcesses, what_is_no_file_of_ours_is_left_alone) {
  const auto alone = [&](const char* what) {
    const RateLimit limit = this->limit();
    EXPECT_NE(limit.error().find(path.string()), std::string::npos) << what;
    EXPECT_NE(limit.error().find(what), std::string::npos) << limit.error();
    Limiter limiter(limit);
    EXPECT_EQ(go(limiter, begin), begin);
    EXPECT_GT(next(limiter, begin), begin) << "not limited: " << what;
    limiter.learn({0, 5s}, begin);
    EXPECT_EQ(next(limiter, begin), begin + 5s);
  };
  std::ofstream(path) << "somebody's orders, and not to be lost";
  alone("is not a file of this library's");
  EXPECT_EQ(content(), "somebody's orders, and not to be lost");
  std::filesystem::remove(path);
  std::filesystem::create_symlink(directory / "elsewhere", path);
  alone("cannot be opened: Too many levels of symbolic links");
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  alone("cannot be opened: Is a directory");
  std::filesystem::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  alone("is not a regular file");
  path = directory / "no such directory" / "rate-limit";
  alone("cannot be opened: No such file or directory");
}

TEST_F(AcrossProcesses, a_file_that_was_removed_is_made_anew) {
  Limiter first(limit());
  go(first, begin);
  std::filesystem::remove(path);
  const TimePoint now = go(first, begin + 1s);
  EXPECT_TRUE(std::filesystem::exists(path));
  Limiter second(limit());
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
  Limiter limiter(limit);
  TimePoint now = begin;
  {
    const LockHeld held(path);
    Reservation reservation(limiter);
    while (now <= begin + 1s) {
      const TimePoint at = reservation.ask(now);
      ASSERT_GE(at, now + 1ms);
      ASSERT_LT(at, now + 2ms);
      now = at;
    }
    EXPECT_EQ(limit.error(), "") << "so far it is one like any other";
    EXPECT_EQ(reservation.ask(now), now);
    EXPECT_EQ(limit.error(), path.string() + ": has been locked by another process for too long");
    EXPECT_GT(next(limiter, now), now) << "alone, but limited";
    limiter.learn({0, 5s}, now);
    EXPECT_EQ(next(limiter, now), now + 5s);
  }
  EXPECT_EQ(next(limiter, now), now) << "the file knows nothing of all that";
  EXPECT_EQ(limit.error(), "");
  for (int i = 0; i < 3; ++i) {
    const LockHeld held(path);
    EXPECT_GT(next(limiter, now), now) << "busy anew, and not since then";
    now += 5s;
  }
}

TEST_F(AcrossProcesses, a_lock_that_is_held_for_ever_ends_only_the_first_of_calls_with_little_time) {
  Limiter limiter(limit());
  const LockHeld held(path);
  {
    Reservation too_late(limiter);
    for (TimePoint now = begin; now < begin + 800ms;) now = too_late.ask(now);
  }
  EXPECT_EQ(go(limiter, begin + 1min), begin + 1min);
  EXPECT_EQ(go(limiter, begin + 2min), begin + 2min);
}

TEST_F(AcrossProcesses, who_gives_up_after_a_long_wait_spoils_nothing) {
  for (const bool in_the_other_copy : {false, true}) {
    std::filesystem::remove(path);
    Limiter waits(limit()), goes(limit());
    goes.learn({0, 60s}, begin);
    std::optional<Reservation> reservation(waits);
    EXPECT_GT(reservation->ask(begin), begin + 59s);
    if (in_the_other_copy) goes.learn({0, 1s}, begin);
    EXPECT_EQ(go(goes, begin + 61s), begin + 61s);
    goes.learn({0, 60s}, begin + 61s);
    reservation.reset();
    EXPECT_EQ(next(goes, begin + 62s), begin + 121s);
  }
}

TEST_F(AcrossProcesses, a_slot_of_the_time_alone_is_not_one_of_the_file) {
  Limiter limiter(limit());
  TimePoint now = begin;
  std::optional<Reservation> alone;
  {
    const LockHeld held(path);
    Reservation first(limiter);
    while (first.ask(now) > now) now += 2ms;
    alone.emplace(limiter);
    EXPECT_GT(alone->ask(now), now);
  }
  const TimePoint at = alone->ask(now);
  EXPECT_GT(at, now) << "it stays in the queue where it stands";
  EXPECT_EQ(alone->ask(at), at);
}

TEST_F(AcrossProcesses, an_uncontended_reservation_is_cheap) {
  const auto cost = [](const RateLimit& limit, int reservations, Duration apart) {
    Limiter limiter(limit);
    const auto from = std::chrono::steady_clock::now();
    for (int i = 0; i < reservations; ++i) EXPECT_EQ(next(limiter, begin + i * apart), begin + i * apart);
    return std::chrono::nanoseconds(std::chrono::steady_clock::now() - from).count() / reservations;
  };
  const auto in_memory = cost(RateLimit::per_client({.per_second = 1e6, .per_minute = 1e7}), 100'000, 1ms);
  const auto through_a_file = cost(limit(), 1000, 10s);
  std::cout << "an uncontended reservation takes " << in_memory << " ns in memory, " << through_a_file
            << " ns through a file\n";
  EXPECT_LT(in_memory, 20'000);  // a wrong mechanism breaks these, not a busy machine
  EXPECT_LT(through_a_file, 20'000'000);
}

TEST_F(AcrossProcesses, who_is_killed_at_any_moment_leaves_a_file_that_can_be_used) {
  const RateLimit limit = this->limit();
  Limiter(limit).learn({0, 60s}, begin);  // what is to be remembered
  std::mt19937 random(1);
  std::uniform_int_distribution<int> pause(0, 3000);
  for (int i = 0; i < 200; ++i) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    const pid_t child = fork();
    if (child == 0) {
      Limiter limiter(this->limit());
      static_cast<void>(next(limiter, begin));
      static_cast<void>(!write(ends[1], "", 1));  // it is at it
      for (;;) static_cast<void>(next(limiter, begin));
    }
    close(ends[1]);
    char byte = 0;
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    std::this_thread::sleep_for(std::chrono::microseconds(pause(random)));
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    Limiter limiter(limit);
    ASSERT_GE(next(limiter, begin), begin + 60s) << i;
    ASSERT_EQ(limit.error(), "") << i;
  }
}

/// By the real clock.
void wait(Reservation& reservation) {
  for (;;) {
    const TimePoint now = std::chrono::steady_clock::now();
    const TimePoint at = reservation.ask(now);
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
        Limiter limiter(limit);
        for (int i = 0; i < each; ++i) {
          Reservation reservation(limiter);
          if (i % 10 == t) {  // it gives up
            static_cast<void>(reservation.ask(std::chrono::steady_clock::now()));
          } else {
            wait(reservation);
          }
          limiter.learn({100'000, 30s}, std::chrono::steady_clock::now());
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
        Limiter limiter(limit());
        for (int i = 0; i < each; ++i) {
          Reservation reservation(limiter);
          wait(reservation);
          limiter.learn({1900, 30s}, std::chrono::steady_clock::now());
        }
      });
    }
  }
  const Seconds took = std::chrono::steady_clock::now() - from;
  EXPECT_GT(took.count(), (threads * each - 1) / 98.0);
  EXPECT_EQ(limit().error(), "");
}
}  // namespace
}  // namespace connectid
