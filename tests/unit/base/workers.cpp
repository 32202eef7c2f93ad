// Jobs, and the threads that come and go with them.

#include "base/workers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <latch>
#include <semaphore>

#include "support/eventually.hpp"

namespace connectid::detail {
namespace {

using namespace std::chrono_literals;

std::ptrdiff_t threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator{});
}

TEST(Workers, run_each_job_once_and_no_more_at_a_time_than_there_are_workers) {
  constexpr int most = 3, jobs = 100;
  std::atomic<int> running = 0, highest = 0, ran = 0;
  {
    Workers workers(most);
    for (int i = 0; i < jobs; ++i) {
      EXPECT_EQ(workers.add([&](const std::stop_token&) {
        const int now = ++running;
        for (int seen = highest; seen < now && !highest.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::sleep_for(100us);
        ++ran;
        --running;
      }),
                0);
    }
    EXPECT_TRUE(eventually([&] { return ran == jobs; }));
  }
  EXPECT_EQ(ran, jobs);
  EXPECT_LE(highest, most);
}

TEST(Workers, run_side_by_side) {
  Workers workers(2);
  std::latch both(2);
  std::atomic<int> met = 0;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(workers.add([&](const std::stop_token&) {
      both.arrive_and_wait();
      ++met;
    }),
              0);
  }
  EXPECT_TRUE(eventually([&] { return met == 2; }));
}

TEST(Workers, have_no_thread_while_there_is_no_job) {
  const auto before = threads();
  Workers workers(8);
  EXPECT_EQ(threads(), before);
  for (int round = 0; round < 20; ++round) {
    std::atomic<bool> ran = false;
    EXPECT_EQ(workers.add([&](const std::stop_token&) { ran = true; }), 0);
    EXPECT_TRUE(eventually([&] { return ran && threads() == before; })) << "round " << round;
  }
}

TEST(Workers, of_none_there_is_one) {
  for (const int most : {0, -1}) {
    Workers workers(most);
    std::atomic<bool> ran = false;
    EXPECT_EQ(workers.add([&](const std::stop_token&) { ran = true; }), 0);
    EXPECT_TRUE(eventually([&] { return ran.load(); }));
  }
}

TEST(Workers, take_no_signals_and_leave_those_of_the_caller_as_they_were) {
  sigset_t blocked{}, here{};
  {
    Workers workers(1);
    EXPECT_EQ(workers.add([&](const std::stop_token&) { pthread_sigmask(SIG_SETMASK, nullptr, &blocked); }), 0);
  }
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE}) EXPECT_EQ(sigismember(&blocked, signal), 1);
  pthread_sigmask(SIG_SETMASK, nullptr, &here);
  EXPECT_EQ(sigismember(&here, SIGUSR1), 0);
}

TEST(Workers, their_end_runs_what_waits_and_asks_it_to_leave) {
  Workers workers(1);
  std::binary_semaphore first_runs(0);
  int asked_to_leave = 0;
  EXPECT_EQ(workers.add([&](const std::stop_token& leaving) {
    first_runs.release();
    while (!leaving.stop_requested()) std::this_thread::sleep_for(1ms);
    ++asked_to_leave;
  }),
            0);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(workers.add([&](const std::stop_token& leaving) { asked_to_leave += leaving.stop_requested() ? 1 : 0; }),
              0);
  }
  first_runs.acquire();
  workers.end();
  EXPECT_EQ(asked_to_leave, 6);
  EXPECT_EQ(workers.add([](const std::stop_token&) { ADD_FAILURE() << "behind the end"; }), ECANCELED);
  workers.end();
}

TEST(Workers, a_job_may_add_another) {
  std::atomic<int> ran = 0;
  Workers workers(1);
  EXPECT_EQ(workers.add([&](const std::stop_token&) {
    ++ran;
    EXPECT_EQ(workers.add([&](const std::stop_token&) { ++ran; }), 0);
  }),
            0);
  EXPECT_TRUE(eventually([&] { return ran == 2; }));
}

}  // namespace
}  // namespace connectid::detail
