// Bytes that are no response to what was sent: on a connection that idles, behind a response, and in the pause before a
// repeat.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "row_makers.hpp"
#include "support/eventually.hpp"
#include "testing/socket.hpp"

namespace connectid::faults {
namespace {

using namespace std::chrono_literals;
using testing::Fault;
using testing::Script;
using End = Fault::End;

const std::string whole_ok = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + ok_body;
const std::string whole_400 = "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n";
const std::string challenged_401 = "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n";
const std::string slow_429 = "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
const std::string late_408 = "HTTP/1.1 408 Late\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The connection is given up before anything is sent on it, and the attempt goes on with another.
Row on_an_idle_connection(std::string name, std::string words, std::string bytes, End end = End::keep) {
  return {.name = "stray_" + std::move(name) + "_on_an_idle_connection",
          .what = "left " + std::move(words) + " on the idle connection: it is replaced, one body arrives",
          .outcome = started,
          .kind = "",
          .more_connections = 1,
          .variants = reused,
          .arm = [bytes = std::move(bytes), end](Bench& bench) {
            ASSERT_EQ(bench.server.gate().send_stray(bytes), 1U);
            if (end != End::keep) ASSERT_EQ(bench.server.gate().close_connections(end), 1U);
          }};
}

std::vector<Row> on_idle_connections() {
  return {
      on_an_idle_connection("408", "a 408", late_408),
      on_an_idle_connection("429", "a 429", slow_429),
      on_an_idle_connection("401", "a 401 with a challenge", challenged_401),
      on_an_idle_connection("400", "a 400", whole_400),
      on_an_idle_connection("200", "a 200", whole_ok),
      on_an_idle_connection("103", "a 103", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
      on_an_idle_connection("garbage", "bytes that are not HTTP", "what is this\r\n\r\n"),
      on_an_idle_connection("byte", "one byte", "H"),
      on_an_idle_connection("line_break", "a line break", "\r\n"),
      on_an_idle_connection("half_a_line", "half a 200's status line", "HTTP/1.1 20"),
      on_an_idle_connection("half_a_200", "a 200 without its body", "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n"),
      on_an_idle_connection("408_and_fin", "a 408 and a FIN", late_408, End::fin),
      on_an_idle_connection("408_and_rst", "a 408 and an RST", late_408, End::reset),
      on_an_idle_connection("200_and_fin", "a 200 and a FIN", whole_ok, End::fin),
      on_an_idle_connection("megabyte", "a megabyte", std::string(1 << 20, '\n')),
  };
}

/// In one piece with the response.
Row behind(std::string name, const std::string& sends, const std::string& response, const std::string& words,
           const std::string& bytes, bool acts = false) {
  Script script = refused_with(response + bytes);
  script.acts = acts;
  return scripted(name + "_with_more_behind_it", "sends " + sends + ", and " + words + " behind it", std::move(script),
                  unknown, transport);
}

std::vector<Row> behind_a_response() {
  const std::string unasked = "unasked bytes";
  std::vector<Row> list = {
      behind("ok", "200", whole_ok, "a 400", whole_400, true),
      behind("ok_once", "200", whole_ok, "one byte", "H", true),
      behind("ok_and_a_line_break", "200", whole_ok, "a line break", "\r\n", true),
      behind("ok_twice", "200", whole_ok, "the same again", whole_ok, true),
      behind("ok_empty", "200 with `Content-Length: 0`", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "a body",
             R"({"success":false})", true),
      behind("ok_in_chunks", "200 in chunks",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + ok_body + "\r\n0\r\n\r\n", "another chunk",
             "1\r\nx\r\n0\r\n\r\n", true),
      behind("status_204", "204", "HTTP/1.1 204 No\r\n\r\n", "a body", ok_body, true),
      behind("status_304", "304", "HTTP/1.1 304 No\r\n\r\n", "a 200", whole_ok, true),
      behind("status_400", "400", whole_400, "a 200", whole_ok),
      behind("status_404", "404", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "one byte", "x"),
      behind("status_429", "429 with `Retry-After: 1`", slow_429, "a 200", whole_ok),
      behind("status_503", "503", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "a 200", whole_ok),
      behind("status_401", "401 with a challenge (the token source has another token)", challenged_401, "a 200",
             whole_ok),
  };
  list.back().choose = [](Choices& choices) { choices.token_source = first_then(good_token, "another-canary"); };
  return list;
}

/// After the response, in the pause of a second before the repeat: of most, one variant is enough.
Row in_the_pause(std::string name, std::string what, Script script, std::string bytes, unsigned variants,
                 End end = End::keep) {
  return {.name = std::move(name),
          .what = std::move(what),
          .outcome = unknown,
          .kind = transport,
          .attempts = 2,
          .more_connections = 0,
          .variants = variants,
          .arm = [script = std::move(script), bytes = std::move(bytes), end](Bench& bench) {
            const std::size_t before = bench.server.bodies_received();
            bench.server.next(script);
            bench.helper = std::jthread([&bench, before, bytes, end] {
              EXPECT_TRUE(bench.server.wait_for_bodies(before + 1, 20s));
              std::this_thread::sleep_for(200ms);  // by now the client has the response
              EXPECT_TRUE(eventually([&] { return bench.server.gate().send_stray(bytes) == 1; }));
              if (end != End::keep) EXPECT_EQ(bench.server.gate().close_connections(end), 1U);
            });
          }};
}

std::vector<Row> in_pauses() {
  const std::string late = "later on the same connection: the 429 was perhaps another request's";
  std::vector<Row> list = {
      in_the_pause("status_429_and_a_late_200", "sends 429 with `Retry-After: 1`, and 200 " + late,
                   refused_with(slow_429), whole_ok, fresh_plain | reused_tls),
      in_the_pause("status_429_and_a_late_400", "sends 429 with `Retry-After: 1`, and 400 " + late,
                   refused_with(slow_429), whole_400, fresh_plain),
      in_the_pause("status_429_and_a_late_byte", "sends 429 with `Retry-After: 1`, and one byte " + late,
                   refused_with(slow_429), "H", reused_tls),
      in_the_pause("status_429_and_a_late_200_and_fin", "sends 429 with `Retry-After: 1`, and 200 and a FIN " + late,
                   refused_with(slow_429), whole_ok, fresh_tls, End::fin),
      in_the_pause("status_429_and_close_and_a_late_200",
                   "sends 429 with `Retry-After: 1` and `Connection: close`, and 200 " + late,
                   refused_with("HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nConnection: close\r\n"
                                "Content-Length: 0\r\n\r\n"),
                   whole_ok, reused_plain),
      in_the_pause("status_401_and_a_late_200",
                   "sends 401 with a challenge, and 200 while the token source gets another token: the 401 was "
                   "perhaps another request's",
                   refused_with(challenged_401), whole_ok, fresh_tls),
  };
  list.back().choose = [](Choices& choices) { choices.token_source = first_then(good_token, "another-canary", 1s); };
  return list;
}

/// Nothing came: a connection that ended in the pause says nothing of the refusal.
std::vector<Row> ends_in_pauses() {
  const auto row = [](std::string name, const std::string& how, End end, unsigned variants) {
    Row ended = in_the_pause("status_429_and_a_late_" + std::move(name),
                             "sends 429 with `Retry-After: 1` and " + how + " in the pause; then 200",
                             refused_with(slow_429), "", variants);
    ended.outcome = started;
    ended.kind = "";
    ended.bodies = 2;
    ended.more_connections = 1;
    ended.arm = [end](Bench& bench) {
      const std::size_t before = bench.server.bodies_received();
      bench.server.next(refused_with(slow_429));
      bench.helper = std::jthread([&bench, before, end] {
        EXPECT_TRUE(bench.server.wait_for_bodies(before + 1, 20s));
        std::this_thread::sleep_for(200ms);  // by now the client has the response
        EXPECT_EQ(bench.server.gate().close_connections(end), 1U);
      });
    };
    return ended;
  };
  return {row("fin", "closes", End::fin, fresh_tls), row("rst", "resets", End::reset, reused_plain)};
}

}  // namespace

std::vector<Row> strays() {
  std::vector<Row> list;
  for (auto&& part : {on_idle_connections(), behind_a_response(), in_pauses(), ends_in_pauses()}) {
    list.insert(list.end(), part.begin(), part.end());
  }
  return list;
}

namespace {

/// A peer whose window is full takes nothing, so what it says cannot be about the request that waits for it.
TEST(StrayResponse, that_comes_before_the_peer_has_a_byte_of_the_request_is_not_believed) {
  testing::detail::Listener listener(0);
  const int little = 2048;
  ASSERT_EQ(::setsockopt(listener.fd(), SOL_SOCKET, SO_RCVBUF, &little, sizeof little), 0);
  testing::detail::Stream peer;  // which reads nothing
  const auto say = [&](const std::string& response) {
    peer.write(response);
    EXPECT_TRUE(peer.flush());
  };
  std::jthread serving([&] {
    pollfd ready{.fd = listener.fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&ready, 1, 20'000), 1);
    peer = testing::detail::Stream(listener.accept());
    ready.fd = peer.fd();
    ASSERT_EQ(::poll(&ready, 1, 20'000), 1);
    say(whole_ok);
  });
  http::CurlTransport transport({.max_idle = 1min});
  const auto perform = [&](std::string body) {
    const http::Request request{.method = "POST",
                                .url = "http://127.0.0.1:" + std::to_string(listener.port()) + "/v1/subscription",
                                .body = std::move(body)};
    return transport.perform(request, {.deadline = std::chrono::steady_clock::now() + 20s});
  };
  const auto first = perform(std::string(100'000, 'x'));  // part of it fills the window, the rest waits
  serving.join();
  ASSERT_TRUE(std::holds_alternative<http::Response>(first)) << std::get<http::Failure>(first).text;

  std::jthread later([&] {
    std::this_thread::sleep_for(300ms);  // by now the second request waits behind the first
    say(whole_400);
  });
  const auto second = perform("{}");
  ASSERT_TRUE(std::holds_alternative<http::Failure>(second));
  const auto& failure = std::get<http::Failure>(second);
  EXPECT_EQ(failure.cause, Cause::stray_response) << failure.text;
  EXPECT_TRUE(failure.body_left) << "the kernel had taken it";
}

}  // namespace
}  // namespace connectid::faults
