// What --journal leaves behind, and what becomes of a start whose line cannot be written.
#include <connectid/journal/file_journal.hpp>
#include <csignal>

#include "support/program_test.hpp"

namespace connectid::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

std::vector<json> lines_of(const TemporaryFile& file) {
  std::istringstream in(file.text());
  std::vector<json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  return lines;
}

TEST_F(ProgramTest, the_journal_has_each_attempt_and_the_outcome) {
  const struct {
    testing::Script script;
    const char* outcome;
    const char* in_the_journal;
  } rows[] = {{{}, "started", "succeeded"},
              {testing::response(400, "{}"), "rejected", "rejected"},
              {testing::started_but_response_lost(), "unknown", "unknown"}};
  for (const auto& row : rows) {
    const TemporaryFile journal;
    server.next(row.script);
    const json response = json::parse(run(start({"--journal", journal.name(), "--output", "json"})).out);
    EXPECT_EQ(response.at("outcome"), row.outcome);
    const auto lines = lines_of(journal);
    ASSERT_EQ(lines.size(), 2U) << journal.text();
    EXPECT_EQ(lines[0].at("event"), "sending");
    EXPECT_EQ(lines[0].at("call_id"), response.at("call_id"));
    EXPECT_EQ(lines[0].at("body"), server.received().back().body);
    EXPECT_EQ(lines[1].at("event"), "ended");
    EXPECT_EQ(lines[1].at("outcome"), row.in_the_journal);
    EXPECT_EQ(journal.text().find("test-token"), std::string::npos);
  }
}

TEST_F(ProgramTest, the_journal_has_each_of_several_attempts) {
  const TemporaryFile journal;
  const auto words = start({"--api-url", "http://127.0.0.1:1", "--journal", journal.name(), "--timeout", "2s"});
  EXPECT_EQ(Program(words, {token}).wait().status, 7);
  const auto lines = lines_of(journal);
  ASSERT_GE(lines.size(), 3U) << journal.text();
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) EXPECT_EQ(lines[i].at("attempt"), i + 1);
  EXPECT_EQ(lines.back().at("outcome"), "not_sent");
}

TEST_F(ProgramTest, the_journal_tells_of_a_run_that_was_killed) {
  const TemporaryFile journal;
  server.always(testing::silent());
  Program program(start({"--journal", journal.name(), "--call-id", "order-1"}), variables());
  ASSERT_TRUE(server.wait_for_bodies(1, 20s));
  program.signal(SIGKILL);
  EXPECT_EQ(program.wait().status, 128 + SIGKILL);
  const auto contents = FileJournal::read(journal.name());
  ASSERT_TRUE(contents);
  ASSERT_EQ(contents->in_flight.size(), 1U);
  EXPECT_EQ(contents->in_flight.front().call_id, "order-1");
  EXPECT_EQ(contents->in_flight.front().body, server.received().back().body);
}

TEST_F(ProgramTest, nothing_is_sent_where_the_journal_cannot_be_written) {
  const TemporaryFile journal;
  const TemporaryDirectory data;
  std::vector<std::string> words = start({"--journal", journal.name(), "--output", "json"});
  // No file may grow, as on a disk that is full. What is printed goes into a pipe.
  words.insert(words.begin(),
               {"bash", "-c", "set -o pipefail; (ulimit -f 0; exec \"$0\" \"$@\") 2>&1 | cat", CONNECTID_PROGRAM});
  std::vector<std::string> with_data = variables();
  with_data.insert(with_data.end(), {"PATH=/usr/bin:/bin", "XDG_DATA_HOME=" + (data / "")});
  const Ended ended = Process(words, with_data).wait();
  EXPECT_EQ(ended.status, 7) << ended.err;
  EXPECT_NE(ended.out.find("\"kind\":\"journal_refused\""), std::string::npos) << ended.out;
  const std::string why = "\"" + journal.name() + "\" cannot be used: File too large";
  EXPECT_NE(ended.out.find(why), std::string::npos) << ended.out;
  EXPECT_EQ(server.gate().connections(), 0U);
}

}  // namespace
}  // namespace connectid::cli
