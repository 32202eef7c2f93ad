// What the program sends again, what it never does, and what ends a pause.
#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "support/eventually.hpp"
#include "support/program_test.hpp"

namespace connectid::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const std::string closed_port = "http://127.0.0.1:1";

json response_of(const Ended& ended) { return json::parse(ended.out); }

TEST_F(ProgramTest, no_connection_is_tried_again_until_the_time_is_up_unless_one_attempt_is_allowed) {
  const auto attempts = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--api-url", closed_port, "--timeout", "2s", "--output", "json"});
    const Ended ended = Program(start(more), {token}).wait();
    EXPECT_EQ(ended.status, 7) << ended.err;
    EXPECT_EQ(response_of(ended).at("outcome"), "not_sent");
    return response_of(ended).at("attempts").get<int>();
  };
  EXPECT_GE(attempts({}), 2);
  EXPECT_GE(attempts({"--max-attempts", "2"}), 2);
  EXPECT_EQ(attempts({"--max-attempts", "1"}), 1);
  const Ended text = Program(start({"--api-url", closed_port, "--max-attempts", "1"}), {token}).wait();
  EXPECT_NE(text.err.find("this was attempt 1 of at most 1\nNothing was started."), std::string::npos) << text.err;
}

TEST_F(ProgramTest, a_429_that_names_a_pause_is_tried_again) {
  server.next(testing::rate_limited_for(1s));
  const Ended ended = run(start({"--output", "json"}));
  EXPECT_EQ(ended.status, 0) << ended.out;
  EXPECT_EQ(response_of(ended).at("attempts"), 2);
  EXPECT_EQ(server.bodies_received(), 2U);
  EXPECT_EQ(server.started().size(), 1U);

  server.next(testing::rate_limited_for(1s));
  const Ended text = run(start());
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_NE(text.out.find("\nAttempts: 2\n"), std::string::npos) << text.out;
}

TEST_F(ProgramTest, a_429_is_the_end_where_one_attempt_is_allowed) {
  server.next(testing::rate_limited_for(1s));
  const Ended ended = run(start({"--max-attempts", "1", "--output", "json"}));
  EXPECT_EQ(ended.status, 5);
  EXPECT_EQ(response_of(ended).at("attempts"), 1);
  EXPECT_EQ(server.bodies_received(), 1U);
}

TEST_F(ProgramTest, what_may_have_started_is_not_sent_again_however_many_attempts_are_allowed) {
  server.always(testing::started_but_response_lost());
  const Ended ended = run(start({"--max-attempts", "100", "--output", "json"}));
  EXPECT_EQ(ended.status, 6);
  EXPECT_EQ(response_of(ended).at("attempts"), 1);
  EXPECT_EQ(server.bodies_received(), 1U);
}

TEST_F(ProgramTest, a_signal_ends_the_pauses_between_attempts_without_a_connection) {
  const TemporaryFile journal;
  Program program(
      start({"--api-url", closed_port, "--max-attempts", "1000", "--journal", journal.name(), "--output", "json"}),
      {token});
  ASSERT_TRUE(eventually([&] { return journal.text().find("\"attempt\":3") != std::string::npos; }));
  program.signal(SIGTERM);
  const Ended ended = program.wait();
  EXPECT_EQ(ended.status, 7) << ended.err;
  EXPECT_EQ(response_of(ended).at("error").at("kind"), "cancelled");
}

/// Whether a connection from this machine to the port was closed by its server, and its client has read all that came.
bool was_read_to_its_end(std::uint16_t port) {
  std::ifstream table("/proc/net/tcp");
  std::array<char, 8> hex{};
  std::snprintf(hex.data(), hex.size(), ":%04X", unsigned{port});
  std::string number, local, remote, state, queues, line;
  while (std::getline(table, line)) {
    std::istringstream(line) >> number >> local >> remote >> state >> queues;
    const bool closed = state == "08";                                                 // CLOSE_WAIT
    const bool read = queues.ends_with(":00000000") || queues.ends_with(":00000001");  // the FIN itself counts as one
    if (remote.ends_with(hex.data()) && closed && read) return true;
  }
  return false;
}

TEST_F(ProgramTest, a_signal_ends_the_pause_that_a_429_names) {
  server.next({.acts = false,
               .fault = {.response = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 50\r\nConnection: close\r\n"
                                     "Content-Length: 0\r\n\r\n",
                         .end = testing::Fault::End::fin}});
  Program program(start({"--output", "json"}), variables());
  ASSERT_TRUE(server.wait_for_bodies(1, 20s));
  ASSERT_TRUE(eventually([&] { return was_read_to_its_end(server.gate().port()); }));
  program.signal(SIGTERM);
  const Ended ended = program.wait();
  EXPECT_EQ(ended.status, 5) << ended.err;
  const std::string message = response_of(ended).at("error").at("message");
  EXPECT_NE(message.find("then cancelled while waiting to be sent"), std::string::npos) << message;
  EXPECT_EQ(server.bodies_received(), 1U);
  EXPECT_TRUE(server.started().empty());
}

}  // namespace
}  // namespace connectid::cli
