#include <connectid/testing/scripted_transport.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <variant>
#include <vector>

namespace {

using connectid::testing::http_response;
using connectid::testing::ScriptedTransport;
namespace http = connectid::http;

http::Request post_to(std::string url) {
  http::Request request;
  request.method = "POST";
  request.url = std::move(url);
  request.body = "{}";
  return request;
}

TEST(ScriptedTransport, gives_its_results_in_order) {
  ScriptedTransport wire;
  wire.respond(http_response(429, "", {{"Retry-After", "2"}}));
  http::Failure truncated;
  truncated.text = "cut";
  wire.respond(truncated);
  const http::AttemptResult first = wire.perform(post_to("http://localhost/1"), {});
  const http::AttemptResult second = wire.perform(post_to("http://localhost/2"), {});
  ASSERT_TRUE(std::holds_alternative<http::Response>(first));
  EXPECT_EQ(std::get<http::Response>(first).status, 429);
  EXPECT_EQ(std::get<http::Response>(first).headers.at(0).value, "2");
  ASSERT_TRUE(std::holds_alternative<http::Failure>(second));
  EXPECT_EQ(std::get<http::Failure>(second).text, "cut");
}

TEST(ScriptedTransport, remembers_what_was_asked) {
  ScriptedTransport wire;
  wire.respond(http_response(200, "{}"));
  (void)wire.perform(post_to("http://localhost/1"), {});
  (void)wire.perform(post_to("http://localhost/2"), {});
  const auto requests = wire.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].url, "http://localhost/1");
  EXPECT_EQ(requests[1].url, "http://localhost/2");
  EXPECT_EQ(requests[1].body, "{}");
}

TEST(ScriptedTransport, says_that_nothing_was_sent_past_its_last_result) {
  ScriptedTransport wire;
  const http::AttemptResult result = wire.perform(post_to("http://localhost/x"), {});
  ASSERT_TRUE(std::holds_alternative<http::Failure>(result));
  EXPECT_FALSE(std::get<http::Failure>(result).body_left);
  EXPECT_NE(std::get<http::Failure>(result).text.find("no response left for POST http://localhost/x"),
            std::string::npos);
}

TEST(ScriptedTransport, gives_each_result_once_to_many_threads) {
  ScriptedTransport wire;
  for (int i = 0; i < 100; ++i) wire.respond(http_response(200, ""));
  std::atomic<int> responses = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 30; ++j) {
          responses += std::holds_alternative<http::Response>(wire.perform(post_to("http://localhost/"), {}));
        }
      });
    }
  }
  EXPECT_EQ(responses, 100);
  EXPECT_EQ(wire.requests().size(), 120U);
}

TEST(HttpResponse, is_whole_and_framed) {
  const http::Response response = http_response(201, "text", {{"A", "b"}});
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "text");
  EXPECT_TRUE(response.framed);
  EXPECT_FALSE(response.truncated);
}

}  // namespace
