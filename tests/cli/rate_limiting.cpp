// How runs keep inside the API's limits together: the file that they share, and what a run does without it.
#include "input/rate_limiting.hpp"

#include <sys/utsname.h>

#include "support/program_test.hpp"

namespace connectid::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
namespace fs = std::filesystem;

/// One run at a server, with a data directory that others may use, too.
Ended run_at(const testing::FakeServer& server, const std::string& data, std::vector<std::string> more = {}) {
  more.insert(more.end(), {"--api-url", server.url(), "--output", "json"});
  return Program(start(more), {token, "XDG_DATA_HOME=" + data}).wait();
}

unsigned permissions(const std::string& path) { return static_cast<unsigned>(fs::status(path).permissions()); }

TEST_F(ProgramTest, keeps_a_file_for_each_host_for_its_user_alone) {
  const TemporaryDirectory directory;
  const std::string data = directory / "share";
  const testing::FakeServer another;
  EXPECT_EQ(run_at(server, data).status, 0);
  EXPECT_EQ(run_at(another, data).status, 0);
  EXPECT_EQ(permissions(data), 0700U);
  EXPECT_EQ(permissions(data + "/connectid"), 0700U);
  for (const auto& url : {server.url(), another.url()}) {
    EXPECT_EQ(permissions(data + "/connectid/" + cli::pace_file_name(url)), 0600U);
  }
}

TEST_F(ProgramTest, learns_from_other_runs_what_is_left_at_this_host) {
  const TemporaryDirectory data;
  server.next(testing::response(200, "{}", {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "50"}}));
  EXPECT_EQ(run_at(server, data / "").status, 0);

  const Ended held_up = run_at(server, data / "", {"--timeout", "20s"});
  EXPECT_EQ(held_up.status, 7) << held_up.out;
  EXPECT_EQ(json::parse(held_up.out).at("error").at("kind"), "deadline_exceeded");
  EXPECT_EQ(server.bodies_received(), 1U);

  const testing::FakeServer another;
  EXPECT_EQ(run_at(another, data / "", {"--timeout", "20s"}).status, 0);
}

TEST_F(ProgramTest, takes_no_more_of_the_limits_than_it_is_told) {
  const TemporaryDirectory data;
  for (const char* slow : {"1/min", "0.02/s"}) {
    server.next(testing::rate_limited_for(1s));
    const Ended ended = run_at(server, data / "", {"--rate", slow, "--timeout", "20s"});
    EXPECT_EQ(ended.status, 5) << ended.out;
    EXPECT_EQ(json::parse(ended.out).at("attempts"), 1) << slow;
  }
  server.next(testing::rate_limited_for(1s));
  const Ended ended = run_at(server, data / "", {"--rate", "600/min", "--timeout", "20s"});
  EXPECT_EQ(json::parse(ended.out).at("attempts"), 2) << ended.out;
}

TEST_F(ProgramTest, shares_a_rate_with_all_runs_that_are_told_the_same) {
  const TemporaryDirectory data;
  EXPECT_EQ(run_at(server, data / "", {"--rate", "1/min"}).status, 0);
  const Ended second = run_at(server, data / "", {"--rate", "1/min", "--timeout", "20s"});
  EXPECT_EQ(second.status, 7) << second.out;
  EXPECT_NE(second.out.find("its slot in the rate limit comes in"), std::string::npos) << second.out;
  EXPECT_EQ(run_at(server, data / "", {"--timeout", "20s"}).status, 0);
  EXPECT_EQ(server.started().size(), 2U);
}

TEST_F(ProgramTest, warns_in_a_line_where_the_file_cannot_be_written_and_starts_all_the_same) {
  const TemporaryDirectory in_the_way;
  fs::create_directories(in_the_way / "connectid/" + cli::pace_file_name(server.url()));
  for (const std::string& data : {std::string("/dev/null"), in_the_way / ""}) {
    const Ended ended = run_at(server, data);
    EXPECT_EQ(ended.status, 0);
    EXPECT_EQ(json::parse(ended.out).at("outcome"), "started");
    EXPECT_TRUE(ended.err.starts_with("connectid: warning: " + data)) << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  }
}

TEST(ProgramData, has_one_file_for_a_host_and_no_password_in_its_name) {
  utsname machine{};
  ASSERT_EQ(uname(&machine), 0);
  const std::string of_this_machine = std::string("pace-") + machine.nodename + "-";
  EXPECT_EQ(cli::pace_file_name("https://api.mediaconnect.no/capi"), of_this_machine + "api.mediaconnect.no");
  EXPECT_EQ(cli::pace_file_name("https://API.mediaconnect.no"), of_this_machine + "api.mediaconnect.no");
  EXPECT_EQ(cli::pace_file_name("http://127.0.0.1:8080"), of_this_machine + "127.0.0.1_8080");
  EXPECT_EQ(cli::pace_file_name("http://[::1]:8080/"), of_this_machine + "___1__8080");
  EXPECT_EQ(cli::pace_file_name("https://kari:hunter2@host/p@th"), of_this_machine + "host");
  EXPECT_EQ(cli::pace_file_name("https://host?a/../b"), of_this_machine + "host");
  EXPECT_EQ(cli::pace_file_name("nonsense"), of_this_machine + "nonsense");
}

}  // namespace
}  // namespace connectid::cli
