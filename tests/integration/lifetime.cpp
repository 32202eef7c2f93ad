// How long things live: clients, calls, processes. What is promised stands in docs/design.md, "Threads and lifetimes".
#include <gtest/gtest.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <latch>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/eventually.hpp"
#include "support/fault_bench.hpp"

namespace connectid {
namespace {

using namespace std::chrono_literals;
using faults::Bench;
using faults::Choices;
using faults::valid_request;

ClientOptions options_for(const std::string& url, const std::string& authority) {
  return {.environment = Environment::custom(url),
          .token_source = static_token("test-token"),
          .transport = std::make_shared<http::CurlTransport>(http::CurlOptions{.ca_pem = authority}),
          .rate_limit = RateLimit::off()};
}
ClientOptions options_for(const testing::FakeServer& server) { return options_for(server.url(), server.ca_pem()); }

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(Lifetime, ten_thousand_clients_are_made_and_leave_nothing_behind) {
  const testing::FakeServer server;
  ASSERT_TRUE(SubscriptionClient(options_for(server)).start(valid_request));  // what is made once is there now
  const std::size_t before = open_descriptors();
  int started = 0;
  for (int i = 0; i < 10'000; ++i) {
    const SubscriptionClient client(options_for(server));
    const SubscriptionClient copy = client;  // NOLINT(performance-unnecessary-copy-initialization)
    if (i % 100 == 0) started += copy.start(valid_request).has_value();
  }
  EXPECT_EQ(started, 100);
  EXPECT_EQ(server.started().size(), 101U);
  // The server lets go of a connection in its own time; a hundred of them, or ten thousand clients, would show.
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before + 8; })) << open_descriptors() << " of " << before;
}

TEST(LifetimeThreads, handles_are_copied_and_dropped_while_calls_are_in_flight) {
  constexpr int threads = 8;
  constexpr int each = 50;
  testing::FakeServer server;
  server.always(testing::delayed(1ms));
  std::atomic<int> started = 0;
  {
    auto first = std::make_unique<SubscriptionClient>(options_for(server));
    std::latch copied(threads);
    std::vector<std::jthread> crowd;
    for (int t = 0; t < threads; ++t) {
      crowd.emplace_back([&copied, &started, &first] {
        SubscriptionClient mine = *first;
        copied.count_down();
        for (int i = 0; i < each; ++i) {
          SubscriptionClient next = mine;
          mine = std::move(next);
          started += mine.start(valid_request).has_value();
        }
      });
    }
    copied.wait();
    first.reset();
  }
  EXPECT_EQ(started, threads * each);
  EXPECT_EQ(server.started().size(), static_cast<std::size_t>(threads * each));
}

TEST(Lifetime, a_call_survives_the_last_handle) {
  const testing::FakeServer server;
  std::optional<SubscriptionClient> client;
  ClientOptions options = options_for(server);
  options.token_source = [&](const TokenRequest&) -> Result<AccessToken> {
    client.reset();  // as a shop does that is being closed while a customer pays
    return AccessToken{"test-token"};
  };
  client.emplace(std::move(options));
  EXPECT_TRUE(client->start(valid_request));
  EXPECT_FALSE(client);
}

/// The process's way with one signal, for a while.
class Handling {
 public:
  Handling(int signal, void (*handler)(int)) : signal_(signal) {
    struct sigaction action {};
    action.sa_handler = handler;  // without SA_RESTART: every blocking call is interrupted
    ::sigaction(signal, &action, &before_);
  }
  Handling(const Handling&) = delete;
  Handling& operator=(const Handling&) = delete;
  ~Handling() { ::sigaction(signal_, &before_, nullptr); }

 private:
  int signal_;
  struct sigaction before_ {};
};

class LifetimeWire : public ::testing::TestWithParam<bool> {
 protected:
  static Choices choices() {
    Choices chosen;
    chosen.server.tls = GetParam();
    return chosen;
  }
};
INSTANTIATE_TEST_SUITE_P(Wire, LifetimeWire, ::testing::Bool(),
                         [](const auto& row) { return row.param ? "tls" : "plain"; });

TEST_P(LifetimeWire, a_peer_that_is_gone_raises_no_sigpipe) {
  const Handling deadly(SIGPIPE, SIG_DFL);
  Choices chosen = choices();
  chosen.retry_policy.break_circuit_after = 0;  // every other call fails at once, and each must be made
  Bench bench(chosen);
  for (int i = 0; i < 40; ++i) {
    bench.server.next(testing::truncate_request_at(static_cast<std::size_t>(i) * 10, testing::Fault::End::reset));
    static_cast<void>(bench.start());
    ASSERT_TRUE(bench.start());
    bench.server.gate().close_connections(testing::Fault::End::reset);
  }
}

/// Looks at a signal's disposition again and again, beside whoever may change it.
class Watched {
 public:
  Watched(int signal, void (*expected)(int))
      : looking_([this, signal, expected](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            struct sigaction now {};
            ::sigaction(signal, nullptr, &now);
            others_ += now.sa_handler != expected;
            ++looks_;
          }
        }) {}
  /// How often it was another one.
  [[nodiscard]] long others() const { return others_; }
  [[nodiscard]] long looks() const { return looks_; }

 private:
  std::atomic<long> others_ = 0;
  std::atomic<long> looks_ = 0;
  std::jthread looking_;
};

/// libcurl before 8.1 sets SIGPIPE to be ignored and back around each thing it does, unless it is told not to: with
/// several threads it then stayed ignored.
class LifetimeWireThreads : public LifetimeWire {};
INSTANTIATE_TEST_SUITE_P(Wire, LifetimeWireThreads, ::testing::Bool(),
                         [](const auto& row) { return row.param ? "tls" : "plain"; });

TEST_P(LifetimeWireThreads, eight_that_open_and_close_connections_never_touch_sigpipe) {
  testing::FakeServer server({.tls = GetParam()});
  for (void (*disposition)(int) : {static_cast<void (*)(int)>(SIG_DFL), static_cast<void (*)(int)>([](int) {})}) {
    const Handling handling(SIGPIPE, disposition);
    const Watched watched(SIGPIPE, disposition);
    const auto connections = server.gate().connections();
    {
      std::vector<std::jthread> crowd;
      for (int t = 0; t < 8; ++t) {
        crowd.emplace_back([&server, t] {
          for (int i = 0; i < 25; ++i) {
            http::CurlOptions options{.ca_pem = server.ca_pem()};
            if (t % 2 == 0) options.max_idle = 0ms;
            ClientOptions of_a_client = options_for(server);
            of_a_client.transport = std::make_shared<http::CurlTransport>(options);
            const SubscriptionClient client(std::move(of_a_client));
            if (i % 5 == 1) server.next(testing::lost_before_acting(testing::Fault::End::reset));
            for (int call = 0; call < 2; ++call) static_cast<void>(client.start(valid_request));
          }
        });
      }
    }
    struct sigaction now {};
    ASSERT_EQ(::sigaction(SIGPIPE, nullptr, &now), 0);
    EXPECT_EQ(now.sa_handler, disposition);
    EXPECT_EQ(watched.others(), 0) << "of " << watched.looks();
    EXPECT_GT(watched.looks(), 100);
    EXPECT_GE(server.gate().connections() - connections, 200U);
  }
}

volatile std::sig_atomic_t alarms = 0;

TEST_P(LifetimeWire, signals_that_interrupt_every_wait_change_no_outcome) {
  Bench bench(choices());
  alarms = 0;
  const Handling counted(SIGALRM, [](int) { alarms = alarms + 1; });
  const itimerval often{{0, 500}, {0, 500}};
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  for (int i = 0; i < 50; ++i) {
    bench.server.next(testing::delayed(5ms));
    const auto result = bench.start();
    EXPECT_TRUE(result) << result.error();
  }
  bench.server.next(testing::response(429, "", {{"Retry-After", "0"}}));  // a pause of a second
  const auto after_a_pause = bench.start();
  ::setitimer(ITIMER_REAL, &never, nullptr);
  EXPECT_TRUE(after_a_pause);
  EXPECT_EQ(bench.server.started().size(), 51U);
  EXPECT_GT(alarms, 50);
}

/// Starts a subscription when the program's statics are destroyed, and ends the process with what came of it.
struct AtTheVeryEnd {
  explicit AtTheVeryEnd(SubscriptionClient its) : client(std::move(its)) {}
  ~AtTheVeryEnd() { ::_exit(client.start(valid_request) ? 42 : 43); }
  SubscriptionClient client;
};

std::string read_to_the_end(int fd) {
  std::string text;
  std::array<char, 1024> some{};
  for (ssize_t count = 0; (count = ::read(fd, some.data(), some.size())) > 0;) {
    text.append(some.data(), static_cast<std::size_t>(count));
  }
  return text;
}

/// What the dying process does. The server lives in another one: it has statics of its own.
[[noreturn]] void use_a_static_client_to_the_very_end(int told) {
  const std::string url_and_authority = read_to_the_end(told);
  const auto end_of_url = url_and_authority.find('\n');
  // Made before the first call, and so destroyed after whatever the library and libcurl keep from then on.
  static const AtTheVeryEnd last{
      SubscriptionClient(options_for(url_and_authority.substr(0, end_of_url), url_and_authority.substr(end_of_url)))};
  if (!last.client.start(valid_request)) ::_exit(44);
  std::exit(0);
}

TEST(Lifetime, a_static_client_works_until_the_statics_are_destroyed) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();  // before the server has threads
  if (child == 0) {
    ::close(ends[1]);
    use_a_static_client_to_the_very_end(ends[0]);
  }
  ::close(ends[0]);
  const testing::FakeServer server(testing::FakeServerOptions{.tls = true});
  const std::string text = server.url() + "\n" + server.ca_pem();
  EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42) << status;
  EXPECT_EQ(server.started().size(), 2U);
}

/// The kernel's numbers of the sockets that a new program finds open.
std::set<std::string> inherited_sockets() {
  std::set<std::string> found;
  std::array<char, 256> line{};
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen("ls -l /proc/self/fd", "r"), ::pclose);
  while (pipe && std::fgets(line.data(), static_cast<int>(line.size()), pipe.get())) {
    const std::string text = line.data();
    const auto begin = text.find("socket:[");
    if (begin != std::string::npos) found.insert(text.substr(begin + 8, text.find(']') - begin - 8));
  }
  return found;
}

/// Those of the connections from this machine to a port of it, as their callers hold them.
std::set<std::string> callers_sockets(int port) {
  std::set<std::string> found;
  std::ifstream table("/proc/net/tcp");
  std::array<char, 8> hex{};
  std::snprintf(hex.data(), hex.size(), ":%04X", static_cast<unsigned>(port));
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string field;
    std::vector<std::string> all;
    while (fields >> field) all.push_back(field);
    if (all.size() > 9 && all[2].ends_with(hex.data())) found.insert(all[9]);
  }
  return found;
}

TEST(LifetimeThreads, a_fork_that_execs_disturbs_no_call_and_inherits_no_connection) {
  testing::FakeServer server;
  server.always(testing::delayed(2ms));
  const SubscriptionClient client(options_for(server));
  std::atomic<bool> enough = false;
  std::atomic<int> calls = 0;
  std::atomic<int> failed = 0;
  std::jthread caller([&] {
    while (!enough) {
      ++calls;
      failed += !client.start(valid_request).has_value();
    }
  });
  const std::jthread other([&] {
    while (!enough) {
      ++calls;
      failed += !client.start(valid_request).has_value();
    }
  });
  ASSERT_TRUE(eventually([&] { return calls > 4; }));
  for (int i = 0; i < 20; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/bin/true", "true", nullptr);
      ::_exit(1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
  }
  const auto callers = callers_sockets(server.gate().port());
  const auto inherited = inherited_sockets();
  enough = true;
  caller.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(calls, 4);
  EXPECT_FALSE(callers.empty());
  for (const auto& socket : callers) EXPECT_FALSE(inherited.contains(socket)) << "a connection is inherited";
}

}  // namespace
}  // namespace connectid
