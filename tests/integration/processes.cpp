// Real processes that share one limit through a file.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <connectid/connectid.hpp>
#include <connectid/testing/fake_server.hpp>
#include <connectid/testing/fault_gate.hpp>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <string>
#include <vector>

#include "support/eventually.hpp"

namespace connectid {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// A fake server that refuses what is more than the API's limits, in any second and any minute.
class LimitingServer {
 public:
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(gate_.port()); }
  [[nodiscard]] std::size_t refused() const {
    const std::lock_guard lock(mutex_);
    return refused_;
  }
  [[nodiscard]] std::size_t most_in_a_second() const {
    const std::lock_guard lock(mutex_);
    return most_;
  }
  [[nodiscard]] std::size_t started() const { return server_.started().size(); }

 private:
  testing::Fault rule() {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    while (!second_.empty() && second_.front() <= now - 1s) second_.pop_front();
    while (!minute_.empty() && minute_.front() <= now - 60s) minute_.pop_front();
    testing::Fault fault;
    if (second_.size() >= 100 || minute_.size() >= 2000) {
      ++refused_;
      fault.response = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n";
      return fault;
    }
    second_.push_back(now);
    minute_.push_back(now);
    most_ = std::max(most_, second_.size());
    return fault;
  }

  mutable std::mutex mutex_;
  std::deque<Clock::time_point> second_, minute_;
  std::size_t refused_ = 0;
  std::size_t most_ = 0;
  testing::FakeServer server_;
  testing::FaultGate gate_{server_.gate().port(), {.plan = [this](const auto&) { return rule(); }}};
};

class Processes : public ::testing::Test {
 protected:
  Processes() {
    std::string name = std::filesystem::temp_directory_path() / "connectid-rate-limit-XXXXXX";
    directory = mkdtemp(name.data());
    path = directory / "rate-limit";
  }
  ~Processes() override { std::filesystem::remove_all(directory); }

  [[nodiscard]] pid_t begin(int seconds) const {
    std::string program = CONNECTID_RATE_LIMITED_STARTS, url = server.url(), file = path,
                time = std::to_string(seconds);
    char* const arguments[] = {program.data(), url.data(), file.data(), time.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    pid_t pid = -1;
    EXPECT_EQ(posix_spawn(&pid, arguments[0], &actions, nullptr, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
  }
  static int wait(pid_t pid) {
    int state = 0;
    EXPECT_EQ(waitpid(pid, &state, 0), pid);
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  }

  LimitingServer server;
  std::filesystem::path directory, path;
};

TEST_F(Processes, eight_on_one_limit_are_never_refused) {
  constexpr int seconds = 8;  // carefully for three of them, then at the full rate
  std::vector<pid_t> processes;
  for (int i = 0; i < 8; ++i) processes.push_back(begin(seconds));
  for (const pid_t pid : processes) EXPECT_EQ(wait(pid), 0);
  std::cout << server.started() << " started in " << seconds << " s by 8 processes; refused: " << server.refused()
            << "; most in a second: " << server.most_in_a_second() << '\n';
  EXPECT_EQ(server.refused(), 0U);
  EXPECT_GT(server.started(), 20U * seconds);  // they were not held up by one another
}

TEST_F(Processes, one_that_is_stopped_with_the_lock_does_not_stop_the_others) {
  const int stopped = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);  // it may as well be this one
  ASSERT_EQ(flock(stopped, LOCK_EX | LOCK_NB), 0);
  const pid_t other = begin(60);
  EXPECT_TRUE(eventually([&] { return server.started() > 20; }));
  EXPECT_EQ(server.refused(), 0U);
  kill(other, SIGKILL);
  EXPECT_EQ(wait(other), 128 + SIGKILL);
  close(stopped);
}

}  // namespace
}  // namespace connectid
