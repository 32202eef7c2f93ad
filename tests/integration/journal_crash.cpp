// kill -9 in the middle of a run: what the journal says then, beside what the server got.
#include <connectid/connectid.hpp>
#include <connectid/testing/fake_server.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "journal/record.hpp"
#include "support/eventually.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

namespace connectid {
namespace {

using namespace std::chrono_literals;

/// A process that starts subscriptions until it is killed.
class Starter {
 public:
  Starter(std::string url, std::string journal, std::string name) {
    std::string program = CONNECTID_STARTER;
    char* const words[] = {program.data(), url.data(), journal.data(), name.data(), nullptr};
    if (posix_spawn(&pid_, CONNECTID_STARTER, nullptr, nullptr, words, environ) != 0) pid_ = -1;
  }
  Starter(const Starter&) = delete;
  Starter& operator=(const Starter&) = delete;
  ~Starter() { static_cast<void>(kill_it()); }
  /// Whether it lived until now.
  [[nodiscard]] bool kill_it() {
    if (pid_ <= 0) return false;
    kill(pid_, SIGKILL);
    int state = 0;
    waitpid(std::exchange(pid_, -1), &state, 0);
    return WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL;
  }

 private:
  pid_t pid_ = -1;
};

struct Written {
  std::string body = {};
  int attempts = 0;
  std::string end = {};
};

/// By call id; read here by itself, so that FileJournal::read has something to be held against.
std::map<std::string, Written> calls_in(const std::string& path) {
  std::map<std::string, Written> calls;
  std::ifstream in(path);
  for (std::string text; std::getline(in, text);) {
    const detail::Record line = detail::read_record(text);
    if (line.kind == detail::Record::Kind::sending) {
      calls[line.call_id].body = line.body;
      ++calls[line.call_id].attempts;
    }
    if (line.kind == detail::Record::Kind::ended) calls[line.call_id].end = line.outcome;
  }
  return calls;
}

class JournalCrash : public ::testing::Test {
 protected:
  static constexpr int rounds = 100;

  /// In each round a process starts subscriptions until the server has some more bodies, and dies somewhere in a call.
  void run_and_kill() {
    std::mt19937 random(seed());
    const auto up_to = [&](unsigned most) { return std::uniform_int_distribution<unsigned>(0, most)(random); };
    for (int round = 0; round < rounds; ++round) {
      const std::size_t enough = server.bodies_received() + 1 + up_to(30);
      Starter starter(server.url(), path, std::to_string(round));
      ASSERT_TRUE(server.wait_for_bodies(enough, 30s)) << "round " << round;
      std::this_thread::sleep_for(up_to(3000) * 1us);
      ASSERT_TRUE(starter.kill_it()) << "round " << round;
    }
  }

  const TemporaryDirectory directory;
  const std::string path = directory / "calls.journal";
  testing::FakeServer server;
};

TEST_F(JournalCrash, tells_of_every_start_that_the_server_got) {
  run_and_kill();
  if (HasFatalFailure()) return;
  // What the dead had sent may still be on its way.
  ASSERT_TRUE(eventually([&] { return server.gate().open_connections() == 0; }));
  ASSERT_TRUE(eventually([&] { return server.started().size() == server.bodies_received(); }));

  const auto written = calls_in(path);
  std::set<std::string> at_the_server;
  for (const auto& received : server.received()) {
    const std::string& id = *http::find(received.headers, "X-Request-Id");
    EXPECT_TRUE(at_the_server.insert(id).second) << id << " was sent twice";
    ASSERT_TRUE(written.contains(id)) << id << " is not in the journal";
    EXPECT_EQ(written.at(id).body, received.body);
    EXPECT_EQ(written.at(id).attempts, 1);
  }
  EXPECT_EQ(server.started().size(), at_the_server.size());

  std::vector<std::string> without_end;
  std::size_t ended = 0, in_flight_at_the_server = 0;
  for (const auto& [id, call] : written) {
    EXPECT_THAT(call.end, ::testing::AnyOf("succeeded", "")) << id;
    EXPECT_TRUE(call.end.empty() || at_the_server.contains(id)) << id << " was started, says the journal";
    if (!call.end.empty()) ++ended;
    if (call.end.empty()) without_end.push_back(id);
    if (call.end.empty() && at_the_server.contains(id)) ++in_flight_at_the_server;
  }
  const auto contents = FileJournal::read(path);
  ASSERT_TRUE(contents) << contents.error();
  std::vector<std::string> in_flight;
  for (const InFlightCall& call : contents->in_flight) in_flight.push_back(call.call_id);
  EXPECT_THAT(in_flight, ::testing::UnorderedElementsAreArray(without_end));

  // The kills came in the middle of calls: some on their way to the server, some on their way back.
  EXPECT_GT(ended, std::size_t{rounds});
  EXPECT_GT(in_flight_at_the_server, 0U);
  EXPECT_GT(in_flight.size(), in_flight_at_the_server);
  std::cout << rounds << " processes killed: " << at_the_server.size() << " starts at the server, " << ended
            << " in the journal as ended, " << in_flight.size() << " as sending (" << in_flight_at_the_server
            << " of them at the server), " << contents->damaged_lines << " half lines\n";
}

}  // namespace
}  // namespace connectid
