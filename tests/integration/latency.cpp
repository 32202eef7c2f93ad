// How long a cancelled or late call takes to come back, wherever it stands. The figures are printed; what is asserted
// is a loose bound that only a wrong mechanism (a poll's tick of a second, a joined name look-up) breaks each time. A
// busy machine may break it once: then it is tried again.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>

#include "support/fault_bench.hpp"
#include "support/listener.hpp"
#include "support/loopback_server.hpp"

namespace {

/// A name server that does not respond: look-ups of `hanging.test` wait here until they are released.
struct HangingName {
  std::mutex mutex;
  std::condition_variable changed;
  int waiting = 0;
  bool released = false;

  void hang() {
    std::unique_lock lock(mutex);
    ++waiting;
    changed.notify_all();
    changed.wait(lock, [&] { return released; });
    --waiting;
    changed.notify_all();
  }
  void wait_for_a_look_up() {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds{30}, [&] { return waiting > 0; }));
  }
  /// Also waits until nobody is in here, so that a look-up that libcurl has given up does not outlive the test.
  void release() {
    std::unique_lock lock(mutex);
    released = true;
    changed.notify_all();
    changed.wait(lock, [&] { return waiting == 0; });
    released = false;
  }
};

HangingName& hanging_name() {
  static HangingName name;
  return name;
}

}  // namespace

/// Stands before libc's in this program, libcurl's calls included.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  if (node && std::strcmp(node, "unknown.test") == 0) return EAI_NONAME;
  if (node && std::strcmp(node, "hanging.test") == 0) {
    hanging_name().hang();
    return EAI_AGAIN;
  }
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(node, service, hints, found);
}

namespace connectid {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

enum class Where { resolve, connect, proxy_connect, handshake, sending, wait };
struct Case {
  const char* name;
  Where where;
  bool tls;  ///< of the server
  Stage stage;
  Outcome outcome;
};

class Latency : public ::testing::TestWithParam<Case> {
 protected:
  Latency() {
    silent_server.always(testing::silent());
    full.fill();
    std::uint16_t port = silent_server.gate().port();
    std::string host = "127.0.0.1";
    if (GetParam().where == Where::resolve) host = "hanging.test";
    if (GetParam().where == Where::connect) port = full.port();
    if (GetParam().where == Where::handshake) port = mute.port();
    if (GetParam().where == Where::sending) port = deaf_server.port();
    url = (GetParam().tls ? "https://" : "http://") + host + ":" + std::to_string(port);
  }
  ~Latency() override { hanging_name().release(); }

  [[nodiscard]] Error start(CallOptions call) const {
    http::CurlOptions options{.ca_pem = GetParam().where == Where::sending ? deaf_server.authority() : authority};
    if (GetParam().where == Where::proxy_connect) options.proxy = "http://127.0.0.1:" + std::to_string(mute.port());
    // More than the sockets between here and there buffer. (Its copies are wiped or freed before the call is back,
    // which is part of the figures.)
    if (GetParam().where == Where::sending) call.headers.push_back({"X-Long", std::string(4 * 1024 * 1024, 'x')});
    const SubscriptionClient client({.environment = Environment::custom(url),
                                     .token_source = static_token("test-token"),
                                     .transport = std::make_shared<http::CurlTransport>(options)});
    return client.start(faults::valid_request, call).error();
  }
  void wait_until_there(std::size_t bodies_before) {
    switch (GetParam().where) {
      case Where::resolve:
        return hanging_name().wait_for_a_look_up();
      case Where::connect:
        return full.wait_for_a_knock();
      case Where::proxy_connect:
      case Where::handshake:
        return mute.wait_for_a_byte();
      case Where::sending:
        EXPECT_TRUE(eventually([this] { return is_full(deaf_server.port()); }));
        return;
      case Where::wait:
        EXPECT_TRUE(silent_server.wait_for_bodies(bodies_before + 1, 20s));
    }
  }
  /// Whether a connection of ours to this port carries bytes and takes no more.
  static bool is_full(std::uint16_t port) {
    return std::ranges::any_of(descriptors_to(port), [](int fd) {
      int unsent = 0;
      pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
      return ::ioctl(fd, SIOCOUTQ, &unsent) == 0 && unsent > 100'000 && ::poll(&writable, 1, 0) == 0;
    });
  }

  struct Ended {
    Error error;
    steady_clock::duration late;
  };
  /// Twice in time, and late once less at the most: a busy machine may be in the way of an end, and a tick of a second
  /// makes each late. A try that did not come to where it is to hang says nothing, and the next has more time for that.
  template <class Detail, class Try>
  void ends_soon(const char* what, Try call_for) {
    constexpr auto soon = 500ms;
    int in_time = 0, late = 0;
    for (auto timeout = 1200ms; in_time < 2; timeout += 1s) {
      const Ended ended = call_for(timeout);
      hanging_name().release();
      std::cout << "latency of a " << what << " in " << GetParam().name << ": "
                << std::chrono::duration<double, std::milli>(ended.late).count() << " ms\n";
      const auto* detail = ended.error.get_if<Detail>();
      ASSERT_TRUE(detail) << ended.error;
      const bool was_there = detail->stage == GetParam().stage;
      // Who cancels has waited until the call is there.
      ASSERT_TRUE(was_there || (std::is_same_v<Detail, DeadlineExceeded> && timeout < 6s)) << ended.error;
      if (!was_there) continue;
      EXPECT_EQ(ended.error.outcome(), GetParam().outcome);
      ++(ended.late < soon ? in_time : late);
      ASSERT_LT(late, 2) << ended.error;
    }
  }

  const std::string authority = testing::make_certificate().authority;
  testing::FakeServer silent_server;
  faults::Listener mute{8};
  faults::Listener full{0};
  /// Speaks TLS, and then reads nothing.
  LoopbackServer deaf_server{{.tls = GetParam().tls, .receive_buffer = 4096},
                             [](LoopbackServer::Peer& peer) { peer.hold(); }};
  std::string url;
};

TEST_P(Latency, of_a_cancel) {
  ends_soon<Cancelled>("cancel", [&](auto) -> Ended {
    std::stop_source stop;
    steady_clock::time_point asked;
    std::jthread canceller([&, bodies = silent_server.bodies_received()] {
      wait_until_there(bodies);
      asked = steady_clock::now();
      stop.request_stop();
    });
    Error error = start({.timeout = 60s, .stop_token = stop.get_token()});
    const auto back = steady_clock::now();
    canceller.join();
    return {std::move(error), back - asked};
  });
}

TEST_P(Latency, of_a_deadline) {
  ends_soon<DeadlineExceeded>("deadline", [&](auto timeout) -> Ended {
    const auto begun = steady_clock::now();
    Error error = start({.timeout = timeout});
    return {std::move(error), steady_clock::now() - begun - timeout};
  });
}

const Case stages[] = {
    {"resolve", Where::resolve, true, Stage::resolve, Outcome::not_sent},
    {"connect", Where::connect, true, Stage::connect, Outcome::not_sent},
    {"proxy_connect", Where::proxy_connect, true, Stage::connect, Outcome::not_sent},
    {"handshake", Where::handshake, true, Stage::handshake, Outcome::not_sent},
    {"sending", Where::sending, false, Stage::send, Outcome::unknown},
    {"sending_over_tls", Where::sending, true, Stage::send, Outcome::unknown},
    {"wait", Where::wait, false, Stage::wait, Outcome::unknown},
};
INSTANTIATE_TEST_SUITE_P(Stages, Latency, ::testing::ValuesIn(stages), [](const auto& row) { return row.param.name; });

// The system's authorities (145 of them take some 25 ms) are read by us, once in a transport's life, before its first
// TLS connection begins: before the name is looked up, and never within a handshake. Nothing can interrupt that, so it
// is what the first call may be late by. A deadline that has passed already shows it whole.
TEST(SystemsAuthorities, delay_the_end_of_a_transports_first_call_only) {
  constexpr auto soon = 500ms * CONNECTID_TEST_PATIENCE;
  int late = 0;
  for (int in_time = 0; in_time < 2;) {
    http::CurlTransport transport;
    const auto ends_after = [&] {
      const auto begun = steady_clock::now();
      const auto attempt = transport.perform({.method = "GET", .url = "https://127.0.0.1:1"}, {.deadline = begun});
      const auto took = steady_clock::now() - begun;
      const auto* failure = std::get_if<http::Failure>(&attempt);
      EXPECT_TRUE(failure && failure->cause == Cause::timed_out && !failure->body_left);
      if (failure) EXPECT_EQ(failure->stage, Stage::resolve);
      return took;
    };
    const auto first = ends_after();
    const auto second = ends_after();
    std::cout << "latency of a deadline while the system's authorities are read: "
              << std::chrono::duration<double, std::milli>(first).count() << " ms, then "
              << std::chrono::duration<double, std::milli>(second).count() << " ms\n";
    ++(first < soon && second < soon ? in_time : late);
    ASSERT_LT(late, 2);
  }
}

TEST(ConnectTimeout, ends_a_connection_that_hangs_and_says_that_nothing_was_sent) {
  faults::Listener full{0};
  full.fill();
  const SubscriptionClient client(
      {.environment = Environment::custom("http://127.0.0.1:" + std::to_string(full.port())),
       .token_source = static_token("t"),
       .retry_policy = {.max_attempts = 1},
       .timeouts = {.connect = 200ms}});
  const auto result = client.start(faults::valid_request);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().outcome(), Outcome::not_sent);
  ASSERT_TRUE(result.error().get_if<TransportError>());
  EXPECT_EQ(result.error().get_if<TransportError>()->cause, Cause::timed_out);
  EXPECT_EQ(result.error().get_if<TransportError>()->stage, Stage::connect);
  EXPECT_EQ(result.error().message(), "not sent: no connection to 127.0.0.1:" + std::to_string(full.port()) +
                                          " within 200 ms; not tried again: this was attempt 1 of at most 1");
}

TEST(NameLookUp, that_finds_nothing_is_not_sent) {
  const SubscriptionClient client({.environment = Environment::custom("https://unknown.test"),
                                   .token_source = static_token("t"),
                                   .retry_policy = {.max_attempts = 1}});
  const auto result = client.start(faults::valid_request);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().outcome(), Outcome::not_sent);
  ASSERT_TRUE(result.error().get_if<TransportError>());
  EXPECT_EQ(result.error().get_if<TransportError>()->cause, Cause::unresolved);
  EXPECT_EQ(result.error().get_if<TransportError>()->stage, Stage::resolve);
}

}  // namespace
}  // namespace connectid
