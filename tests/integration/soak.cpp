// Many calls by one process, and nothing grows. The server is another process, so that what is measured is the
// client's. CONNECTID_SOAK_CALLS=1000000 makes them a million; the figures are printed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "support/eventually.hpp"
#include "support/fault_bench.hpp"
#include "testing/socket.hpp"

namespace connectid {
namespace {

using testing::detail::Listener;
using testing::detail::SslContext;

/// Answers each request on one connection with OK until it ends. Its requests have bodies with a Content-Length.
void serve(testing::detail::Fd socket, SSL_CTX* tls) {
  testing::detail::Ssl ssl(tls ? SSL_new(tls) : nullptr);
  if (ssl && (SSL_set_fd(ssl.get(), socket.get()) != 1 || SSL_accept(ssl.get()) != 1)) return;
  static constexpr std::string_view response =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}";
  std::string heard;
  std::array<char, 8192> some{};
  for (;;) {
    const auto count = ssl ? SSL_read(ssl.get(), some.data(), some.size())
                           : static_cast<int>(::recv(socket.get(), some.data(), some.size(), 0));
    if (count <= 0) return;
    heard.append(some.data(), static_cast<std::size_t>(count));
    const auto head = heard.find("\r\n\r\n");
    const auto field = heard.find("Content-Length: ");
    if (head == std::string::npos || field > head) continue;
    std::size_t body = 0;
    std::from_chars(heard.data() + field + 16, heard.data() + head, body);
    if (heard.size() < head + 4 + body) continue;
    heard.erase(0, head + 4 + body);
    const auto said = ssl ? SSL_write(ssl.get(), response.data(), response.size())
                          : static_cast<int>(::send(socket.get(), response.data(), response.size(), MSG_NOSIGNAL));
    if (said <= 0) return;
  }
}

/// A server in a process of its own, which dies with this one.
class ServerProcess {
 public:
  explicit ServerProcess(bool tls) : certificate_(tls ? testing::make_certificate() : testing::Certificate()) {
    const pid_t parent = ::getpid();
    child_ = ::fork();
    if (child_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    std::signal(SIGPIPE, SIG_IGN);
    const SslContext context = tls ? testing::detail::server_context(certificate_, "") : nullptr;
    if (context) {  // as servers do: sessions are resumed
      SSL_CTX_clear_options(context.get(), SSL_OP_NO_TICKET);
      SSL_CTX_set_num_tickets(context.get(), 2);
    }
    ::fcntl(listener_.fd(), F_SETFL, 0);
    for (;;) {
      testing::detail::Fd socket = listener_.accept();
      if (!socket) ::_exit(1);
      ::fcntl(socket.get(), F_SETFL, 0);
      std::thread([its = std::move(socket), tls_context = context.get()]() mutable {
        serve(std::move(its), tls_context);
      }).detach();
    }
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }
  [[nodiscard]] const std::string& authority() const { return certificate_.authority; }

 private:
  testing::Certificate certificate_;
  Listener listener_{0};  // also here: a test that outlived the server would hang, not fail
  pid_t child_ = -1;
};

struct Usage {
  std::size_t descriptors = 0;
  long kilobytes = 0;  ///< resident
};
Usage usage() {
  Usage now;
  const std::filesystem::directory_iterator all("/proc/self/fd");
  now.descriptors = static_cast<std::size_t>(std::distance(begin(all), end(all)));
  std::ifstream statm("/proc/self/statm");
  long pages = 0;
  statm >> pages >> pages;
  now.kilobytes = pages * ::sysconf(_SC_PAGESIZE) / 1024;
  return now;
}

int calls_or(int by_default) {
  const char* const given = std::getenv("CONNECTID_SOAK_CALLS");
  return given ? std::atoi(given) : by_default;
}

struct Case {
  const char* name;
  bool tls;
  bool new_connections;
  int calls;
};
class Soak : public ::testing::TestWithParam<Case> {};
TEST_P(Soak, leaves_descriptors_and_memory_as_they_are) {
  const ServerProcess server(GetParam().tls);
  http::CurlOptions options{.ca_pem = server.authority()};
  if (GetParam().new_connections) options.max_idle = std::chrono::milliseconds{0};
  const SubscriptionClient client(
      {.environment = Environment::custom((GetParam().tls ? "https://127.0.0.1:" : "http://127.0.0.1:") +
                                          std::to_string(server.port())),
       .token_source = static_token("test-token"),
       .transport = std::make_shared<http::CurlTransport>(options),
       .rate_limit = RateLimit::off()});
  const int calls = calls_or(GetParam().calls / CONNECTID_TEST_PATIENCE);
  const auto begun = std::chrono::steady_clock::now();
  const auto print = [&](int percent, const Usage& now) {
    std::cout << GetParam().name << ": after " << percent << " % of " << calls << " calls " << now.kilobytes
              << " KB resident, " << now.descriptors << " descriptors, "
              << std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count() << " s, "
              << static_cast<double>(std::clock()) / CLOCKS_PER_SEC << " s of CPU" << std::endl;
    return now;
  };
  Usage warm;
  Usage last;
  for (int i = 1; i <= calls; ++i) {
    const auto result = client.start(faults::valid_request);
    ASSERT_TRUE(result) << result.error();
    if (i == calls / 10) warm = print(10, usage());
    if (i == calls / 2) print(50, usage());
    if (i == calls) last = print(100, usage());
  }
  EXPECT_EQ(last.descriptors, warm.descriptors);
  // A sanitizer keeps what was given back for a while.
  if (CONNECTID_TEST_PATIENCE == 1) EXPECT_LE(last.kilobytes, warm.kilobytes + 1024);
}
const Case cases[] = {
    {"plain", false, false, 20'000},
    {"tls", true, false, 20'000},
    {"plain_with_a_connection_each", false, true, 20'000},
    {"tls_with_a_connection_each", true, true, 2'000},  // a handshake each, on both sides
};
INSTANTIATE_TEST_SUITE_P(Calls, Soak, ::testing::ValuesIn(cases), [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace connectid
