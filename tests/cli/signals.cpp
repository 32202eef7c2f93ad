// Signals and deadlines: before the request is read, before its first byte, after it.
#include <connectid/testing/fault_gate.hpp>
#include <csignal>

#include "support/eventually.hpp"
#include "support/program_test.hpp"

namespace connectid::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

TEST_F(ProgramTest, a_signal_that_was_ignored_from_the_start_stays_ignored) {
  server.next(testing::delayed(500ms));
  std::signal(SIGHUP, SIG_IGN);  // inherited, as under nohup
  Program program(start({"--output", "json"}), variables());
  std::signal(SIGHUP, SIG_DFL);
  ASSERT_TRUE(server.wait_for_bodies(1, 20s));
  program.signal(SIGHUP);
  EXPECT_EQ(program.wait().status, 0);
}

TEST_F(ProgramTest, a_deadline_while_the_response_is_awaited_is_unknown) {
  server.always(testing::silent());
  EXPECT_EQ(run(start({"--timeout", "2s"})).status, 6);
}

TEST_F(ProgramTest, a_signal_before_the_first_byte_is_not_sent) {
  testing::FaultGate mute(server.gate().port(), {.greet = [](std::uint64_t) { return false; }});
  Program program(start({"--api-url", "https://127.0.0.1:" + std::to_string(mute.port()), "--output", "json"}),
                  {token});
  ASSERT_TRUE(eventually([&] { return mute.connections() > 0; }));
  program.signal(SIGTERM);
  const Ended ended = program.wait();
  EXPECT_EQ(ended.status, 7) << ended.err;
  EXPECT_EQ(json::parse(ended.out).at("error").at("kind"), "cancelled");
}

TEST_F(ProgramTest, a_signal_after_it_is_unknown_and_the_response_is_still_printed) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    server.next(testing::silent());
    const std::size_t before = server.bodies_received();
    Program program(start({"--output", "json"}), variables());
    ASSERT_TRUE(server.wait_for_bodies(before + 1, 20s));
    program.signal(signal);
    const Ended ended = program.wait();
    EXPECT_EQ(ended.status, 6) << ended.err;
    EXPECT_EQ(json::parse(ended.out).at("may_have_started"), true);
  }
}

/// The writing end of a pipe, as a program that has not said all yet holds it. Opened for both, it waits for nobody.
class Writer {
 public:
  explicit Writer(const std::string& pipe) : fd_(open(pipe.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { close(fd_); }
  [[nodiscard]] bool write(const std::string& text) const {
    return ::write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }

 private:
  int fd_;
};

void expect_cancelled_before_it_was_read(Program& program) {
  const Ended ended = program.wait();
  EXPECT_EQ(ended.status, 7) << ended.err;
  EXPECT_EQ(json::parse(ended.out).at("error").at("kind"), "cancelled");
}

TEST_F(ProgramTest, a_signal_ends_the_reading_of_a_pipe_that_nobody_writes) {
  const NamedPipe pipe;
  Program program({"start", "--json", pipe.name(), "--output", "json"}, variables());
  ASSERT_TRUE(eventually([&] { return program.has_open(pipe.name()); }));
  program.signal(SIGTERM);
  expect_cancelled_before_it_was_read(program);
  EXPECT_EQ(server.gate().connections(), 0U);
}

TEST_F(ProgramTest, a_signal_ends_the_reading_of_a_pipe_that_is_half_written) {
  const NamedPipe pipe;
  const Writer writer(pipe.name());
  ASSERT_TRUE(writer.write(documented_json));  // no end: there may be more
  Program program({"start", "--json", pipe.name(), "--output", "json"}, variables());
  ASSERT_TRUE(eventually([&] { return program.has_open(pipe.name()); }));
  program.signal(SIGHUP);
  expect_cancelled_before_it_was_read(program);
  EXPECT_EQ(server.gate().connections(), 0U);
}

TEST_F(ProgramTest, a_signal_ends_the_reading_of_standard_input) {
  for (const char* command : {"start", "validate"}) {
    const NamedPipe pipe;
    const Writer silent(pipe.name());
    Program program({command, "--json", "-", "--output", "json"}, variables(), {.in_path = pipe.name()});
    ASSERT_TRUE(eventually([&] { return program.blocks(SIGINT); }));
    program.signal(SIGINT);
    expect_cancelled_before_it_was_read(program);
  }
  EXPECT_EQ(server.gate().connections(), 0U);
}

TEST_F(ProgramTest, a_pipe_is_read_to_its_end) {
  const NamedPipe pipe;
  Program program({"start", "--json", pipe.name()}, variables());
  ASSERT_TRUE(eventually([&] { return program.has_open(pipe.name()); }));
  ASSERT_TRUE(Writer(pipe.name()).write(documented_json));
  EXPECT_EQ(program.wait().status, 0);
  EXPECT_EQ(server.started().size(), 1U);
}

TEST_F(ProgramTest, two_signals_of_one_moment_are_one) {  // as timeout(1) sends them
  server.always(testing::silent());
  for (int i = 0; i < 5; ++i) {
    Program program(start({"--output", "json"}), variables());
    ASSERT_TRUE(server.wait_for_bodies(static_cast<std::uint64_t>(i) + 1, 20s));
    program.signal(SIGTERM);
    std::this_thread::sleep_for(std::chrono::milliseconds{i});  // the gap between the two is what differs
    program.signal(SIGTERM);
    const Ended ended = program.wait();
    EXPECT_EQ(ended.status, 6) << ended.err;
    EXPECT_EQ(nlohmann::json::parse(ended.out).at("outcome"), "unknown");
  }
}

TEST_F(ProgramTest, a_second_signal_kills_what_cannot_tell_of_a_usage_error) {
  const NamedPipe out;
  const Writer nobody_reads(out.name());
  while (nobody_reads.write("x")) {
  }
  Program program({"start", "--nonsense", "--output", "json"}, variables(), {.out_path = out.name()});
  ASSERT_TRUE(eventually([&] { return program.blocks(SIGTERM); }));
  program.signal_until_ended(SIGTERM);
  EXPECT_EQ(program.wait().status, 128 + SIGTERM);
}

TEST_F(ProgramTest, a_second_signal_kills) {
  const NamedPipe out;
  const Writer nobody_reads(out.name());
  while (nobody_reads.write("x")) {
  }
  Program program(start({"--output", "json"}), variables(), {.out_path = out.name()});
  ASSERT_TRUE(server.wait_for_bodies(1, 20s));
  program.signal_until_ended(SIGTERM);  // the first cancels, and the response cannot be written
  EXPECT_EQ(program.wait().status, 128 + SIGTERM);
}

}  // namespace
}  // namespace connectid::cli
