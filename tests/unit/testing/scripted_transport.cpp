#include <connectid/testing/scripted_transport.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <variant>
#include <vector>

namespace {

using connectid::testing::http_answer;
using connectid::testing::ScriptedTransport;
namespace http = connectid::http;

http::Request post_to(std::string url) {
  http::Request request;
  request.method = "POST";
  request.url = std::move(url);
  request.body = "{}";
  return request;
}

TEST(ScriptedTransport, gives_its_replies_in_order) {
  ScriptedTransport wire;
  wire.reply(http_answer(429, "", {{"Retry-After", "2"}}));
  http::Failure cut;
  cut.text = "cut";
  wire.reply(cut);
  const http::Reply first = wire.perform(post_to("http://localhost/1"), {});
  const http::Reply second = wire.perform(post_to("http://localhost/2"), {});
  ASSERT_TRUE(std::holds_alternative<http::Answer>(first));
  EXPECT_EQ(std::get<http::Answer>(first).status, 429);
  EXPECT_EQ(std::get<http::Answer>(first).headers.at(0).value, "2");
  ASSERT_TRUE(std::holds_alternative<http::Failure>(second));
  EXPECT_EQ(std::get<http::Failure>(second).text, "cut");
}

TEST(ScriptedTransport, remembers_what_was_asked) {
  ScriptedTransport wire;
  wire.reply(http_answer(200, "{}"));
  (void)wire.perform(post_to("http://localhost/1"), {});
  (void)wire.perform(post_to("http://localhost/2"), {});
  const auto requests = wire.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].url, "http://localhost/1");
  EXPECT_EQ(requests[1].url, "http://localhost/2");
  EXPECT_EQ(requests[1].body, "{}");
}

TEST(ScriptedTransport, says_that_nothing_was_sent_past_its_last_reply) {
  ScriptedTransport wire;
  const http::Reply reply = wire.perform(post_to("http://localhost/x"), {});
  ASSERT_TRUE(std::holds_alternative<http::Failure>(reply));
  EXPECT_FALSE(std::get<http::Failure>(reply).body_left);
  EXPECT_NE(std::get<http::Failure>(reply).text.find("no reply left for POST http://localhost/x"), std::string::npos);
}

TEST(ScriptedTransport, gives_each_reply_once_to_many_threads) {
  ScriptedTransport wire;
  for (int i = 0; i < 100; ++i) wire.reply(http_answer(200, ""));
  std::atomic<int> answers = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 30; ++j) {
          answers += std::holds_alternative<http::Answer>(wire.perform(post_to("http://localhost/"), {}));
        }
      });
    }
  }
  EXPECT_EQ(answers, 100);
  EXPECT_EQ(wire.requests().size(), 120U);
}

TEST(HttpAnswer, is_whole_and_framed) {
  const http::Answer answer = http_answer(201, "text", {{"A", "b"}});
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "text");
  EXPECT_TRUE(answer.framed);
  EXPECT_FALSE(answer.cut);
}

}  // namespace
