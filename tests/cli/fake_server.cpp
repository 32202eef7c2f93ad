// `connectid fake-server`, as a shell test uses it.
#include <connectid/http/curl_transport.hpp>

#include "support/eventually.hpp"
#include "support/program_test.hpp"

namespace connectid::cli {
namespace {

using nlohmann::json;

/// What its first line says, once it does.
std::string url_of(const Program& fake) {
  const std::string greeting = "listening ";
  EXPECT_TRUE(eventually([&] { return fake.out().ends_with('\n'); }));
  const std::string line = fake.out();
  EXPECT_TRUE(line.starts_with(greeting + "http://127.0.0.1:")) << line;
  return line.substr(greeting.size(), line.size() - greeting.size() - 1);
}

TEST(ProgramFakeServer, listens_logs_and_ends_with_0) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    Program fake({"fake-server"}, {});
    const std::string url = url_of(fake);
    const Ended started = Program({"start", "--json", "-", "--api-url", url}, {token}, {.in = documented_json}).wait();
    EXPECT_EQ(started.status, 0) << started.err;
    http::CurlTransport wire;
    const http::AttemptResult result = wire.perform({.method = "GET", .url = url + "/__connectid/log"}, {});
    ASSERT_TRUE(std::holds_alternative<http::Response>(result));
    const json log = json::parse(std::get<http::Response>(result).body);
    EXPECT_EQ(log.at("started").size(), 1U);
    EXPECT_EQ(log.at("received").at(0).at("path"), "/v1/subscription");
    fake.signal(signal);
    const Ended ended = fake.wait();
    EXPECT_EQ(ended.status, 0);
    EXPECT_EQ(ended.err, "");
  }
}

TEST(ProgramFakeServer, gives_tokens_like_spring_where_that_is_asked_for) {
  for (const bool like_spring : {false, true}) {
    Program fake(like_spring ? std::vector<std::string>{"fake-server", "--like-spring"}
                             : std::vector<std::string>{"fake-server"},
                 {});
    const std::string url = url_of(fake);
    http::CurlTransport wire;
    const auto access_token = [&] {
      const http::AttemptResult result =
          wire.perform({.method = "POST",
                        .url = url + "/oauth/token",
                        .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                        .body = "grant_type=client_credentials&client_id=test-client&client_secret=test-secret"},
                       {});
      return json::parse(std::get<http::Response>(result).body).at("access_token").get<std::string>();
    };
    const std::string first = access_token();
    EXPECT_EQ(access_token() == first, like_spring);
  }
}

TEST(ProgramFakeServer, says_in_one_line_which_port_is_taken) {
  testing::FakeServer taken;
  const std::string port = std::to_string(taken.gate().port());
  const Ended ended = Program({"fake-server", "--port", port}, {}).wait();
  EXPECT_EQ(ended.status, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(ended.err, "connectid: port " + port + " of 127.0.0.1 cannot be used: Address already in use\n");
}

TEST(ProgramFakeServer, refuses_what_is_no_port) {
  for (const char* port : {"70000", "-1", "http", ""}) {
    const Ended ended = Program({"fake-server", "--port", port}, {}).wait();
    EXPECT_EQ(ended.status, 2) << port;
    EXPECT_NE(ended.err.find("--port"), std::string::npos) << ended.err;
  }
}

TEST(ProgramFakeServer, ends_with_1_where_nobody_can_learn_its_port) {
  for (const char* path : {"-", "/dev/full"}) {
    const Ended ended = Program({"fake-server"}, {}, {.out_path = path}).wait();
    EXPECT_EQ(ended.status, 1) << path;
    EXPECT_NE(ended.err.find("standard output cannot be written"), std::string::npos) << ended.err;
  }
}

}  // namespace
}  // namespace connectid::cli
