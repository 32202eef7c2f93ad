#include <connectid/testing/fault_gate.hpp>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <functional>
#include <iostream>
#include <latch>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "support/eventually.hpp"

namespace {

using namespace std::chrono_literals;
using connectid::eventually;
using connectid::testing::Certificate;
using connectid::testing::Fault;
using connectid::testing::FaultGate;
using connectid::testing::make_certificate;
using Clock = std::chrono::steady_clock;
using End = Fault::End;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A blocking socket, for as long as a test can reasonably wait.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(fd_); }

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::uint16_t peer_port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getpeername(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

 private:
  int fd_;
};

/// Answers each line that comes with what `response` makes of it, and remembers all that came.
class LineServer {
 public:
  using AttemptResult = std::function<std::string(const std::string&)>;

  explicit LineServer(AttemptResult result = [](const std::string& line) { return "re:" + line; })
      : result_(std::move(result)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    ::bind(listener_.fd(), reinterpret_cast<const sockaddr*>(&address), size);
    ::listen(listener_.fd(), 64);
    ::getsockname(listener_.fd(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept(); });
  }
  LineServer(const LineServer&) = delete;
  LineServer& operator=(const LineServer&) = delete;
  ~LineServer() { ::shutdown(listener_.fd(), SHUT_RDWR); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  [[nodiscard]] std::vector<std::uint16_t> peers() const {
    const std::lock_guard lock(mutex_);
    return peers_;
  }
  [[nodiscard]] int ended() const { return ended_; }  ///< connections that the other side closed
  void close_all() {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }

 private:
  void accept() {
    std::list<std::jthread> threads;
    for (int fd = 0; (fd = ::accept(listener_.fd(), nullptr, nullptr)) >= 0;) {
      threads.emplace_back([this, fd] { serve(fd); });
    }
    close_all();
  }

  void serve(int fd) {
    const Socket socket(fd);
    {
      const std::lock_guard lock(mutex_);
      peers_.push_back(socket.peer_port());
      open_.push_back(fd);
    }
    std::string begun;
    std::vector<char> some(64 * 1024);
    for (ssize_t count = 0; (count = ::recv(fd, some.data(), some.size(), 0)) > 0;) {
      const std::string_view came(some.data(), static_cast<std::size_t>(count));
      {
        const std::lock_guard lock(mutex_);
        received_ += came;
      }
      begun += came;
      for (std::size_t end = 0; (end = begun.find('\n')) != std::string::npos;) {
        const std::string line = begun.substr(0, end + 1);
        begun.erase(0, end + 1);
        socket.send(result_(line));
      }
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ++ended_;
  }

  AttemptResult result_;
  Socket listener_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::string received_;
  std::vector<std::uint16_t> peers_;
  std::vector<int> open_;
  std::atomic<int> ended_ = 0;
  std::jthread acceptor_;
};

enum class Ended { open, fin, reset, in_tls, failed };

struct Read {
  std::string bytes;
  Ended ended = Ended::open;
  friend bool operator==(const Read&, const Read&) = default;
};

std::ostream& operator<<(std::ostream& out, const Read& read) {
  return out << '"' << read.bytes << "\", ended " << static_cast<int>(read.ended);
}

Ended why_no_more(ssize_t count) {
  if (count == 0) return Ended::fin;
  return errno == ECONNRESET ? Ended::reset : Ended::failed;
}

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const auto address = loopback(port);
    error_ = ::connect(socket_.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  }

  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] int fd() const { return socket_.fd(); }
  void send(std::string_view bytes) const { socket_.send(bytes); }

  /// So many bytes, or fewer and how it ended.
  [[nodiscard]] Read read(std::size_t count) const {
    Read all;
    std::vector<char> buffer(64 * 1024);
    while (all.bytes.size() < count) {
      const auto wanted = std::min(buffer.size(), count - all.bytes.size());
      const auto got = ::recv(socket_.fd(), buffer.data(), wanted, 0);
      if (got <= 0) {
        all.ended = why_no_more(got);
        break;
      }
      all.bytes.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return all;
  }
  [[nodiscard]] Read read_all() const { return read(std::string::npos); }
  [[nodiscard]] Read ask(const std::string& line) const {
    send(line);
    return read(line.size() + 3);
  }
  [[nodiscard]] bool nothing_came() const {
    char c = 0;
    return ::recv(socket_.fd(), &c, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
  }

 private:
  Socket socket_;
  int error_ = 0;
};

/// The same over TLS, which must verify.
class TlsClient {
 public:
  TlsClient(std::uint16_t port, const std::string& authority, const char* host = "localhost", int max_version = 0)
      : tcp_(port), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> pem(
        BIO_new_mem_buf(authority.data(), static_cast<int>(authority.size())), BIO_free);
    const std::unique_ptr<X509, decltype(&X509_free)> root(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr),
                                                           X509_free);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), root.get());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_max_proto_version(context_.get(), max_version);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set1_host(ssl_.get(), host);
    SSL_set_fd(ssl_.get(), tcp_.fd());
    connected_ = SSL_connect(ssl_.get()) == 1;
    ERR_clear_error();
  }

  [[nodiscard]] bool connected() const { return connected_; }
  void send(std::string_view bytes) const { SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())); }
  [[nodiscard]] Read read(std::size_t count) const {
    Read all;
    std::vector<char> buffer(64 * 1024);
    while (all.bytes.size() < count) {
      const auto wanted = std::min(buffer.size(), count - all.bytes.size());
      const int got = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(wanted));
      if (got <= 0) {
        all.ended = SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN ? Ended::in_tls : ended();
        break;
      }
      all.bytes.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return all;
  }
  [[nodiscard]] Read read_all() const { return read(std::string::npos); }
  [[nodiscard]] Read ask(const std::string& line) const {
    send(line);
    return read(line.size() + 3);
  }

 private:
  /// OpenSSL takes a FIN without close_notify for a failure of its own.
  static Ended ended() {
    const int system = errno;
    const auto error = ERR_get_error();
    ERR_clear_error();
    if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return Ended::fin;
    return error == 0 && system == ECONNRESET ? Ended::reset : Ended::failed;
  }

  Client tcp_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  bool connected_ = false;
};

FaultGate::Options always(Fault fault) {
  return {.plan = [fault](const FaultGate::Position&) { return fault; }};
}

FaultGate::Options first_only(Fault fault) {
  return {.plan = [fault](const FaultGate::Position& at) { return at.number == 1 ? fault : Fault{}; }};
}

Fault response_truncated_at(std::size_t byte, End end) {
  Fault fault;
  fault.truncate_response_at = byte;
  fault.end = end;
  return fault;
}

Fault request_truncated_at(std::size_t byte, End end) {
  Fault fault;
  fault.truncate_request_at = byte;
  fault.end = end;
  return fault;
}

Fault forged(std::string bytes, End end) {
  Fault fault;
  fault.response = std::move(bytes);
  fault.end = end;
  return fault;
}

template <class Work>
std::chrono::milliseconds time_of(Work work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
}

TEST(FaultGate, relays_exchange_after_exchange_on_one_server_connection) {
  const LineServer server;
  const FaultGate gate(server.port());
  const Client client(gate.port());
  EXPECT_EQ(client.ask("one\n"), Read{"re:one\n"});
  EXPECT_EQ(client.ask("two\n"), Read{"re:two\n"});
  EXPECT_EQ(gate.connections(), 1U);
  EXPECT_EQ(gate.exchanges(), 2U);
  EXPECT_EQ(gate.open_connections(), 1U);
  EXPECT_EQ(server.peers().size(), 1U);
}

TEST(FaultGate, relays_what_is_much_larger_than_its_window) {
  const LineServer server;
  const FaultGate gate(server.port());
  const Client client(gate.port());
  const std::string line = std::string(1'000'000, 'x') + "\n";
  EXPECT_EQ(client.ask(line), Read{"re:" + line});
}

TEST(FaultGate, relays_a_response_that_its_client_reads_late) {
  const std::string large(8'000'000, 'y');
  const LineServer server([&](const std::string&) { return large; });
  const FaultGate gate(server.port());
  const Client client(gate.port());
  client.send("go\n");
  ASSERT_EQ(client.read(1).bytes, "y");  // the rest is more than all buffers on the way can hold
  EXPECT_EQ(client.read(large.size() - 1).bytes.size(), large.size() - 1);
}

TEST(FaultGate, tells_the_plan_which_exchange_it_is_and_by_which_port_the_server_sees_it) {
  const LineServer server;
  std::mutex mutex;
  std::vector<FaultGate::Position> seen;
  const FaultGate gate(server.port(), {.plan = [&](const FaultGate::Position& at) {
                         const std::lock_guard lock(mutex);
                         seen.push_back(at);
                         return Fault{};
                       }});
  const Client first(gate.port());
  (void)first.ask("a\n");
  const Client second(gate.port());
  (void)second.ask("b\n");
  (void)first.ask("c\n");
  const std::lock_guard lock(mutex);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].connection, 1U);
  EXPECT_EQ(seen[1].connection, 2U);
  EXPECT_EQ(seen[2].connection, 1U);
  EXPECT_EQ(seen[2].number, 2U);
  const std::vector<std::uint16_t> ports = {seen[0].server_side_port, seen[1].server_side_port};
  EXPECT_EQ(ports, server.peers());
}

TEST(FaultGate, begins_no_exchange_and_calls_no_server_for_a_silent_client) {
  const LineServer server;
  const FaultGate gate(server.port());
  const Client client(gate.port());
  ASSERT_TRUE(eventually([&] { return gate.open_connections() == 1; }));
  EXPECT_EQ(gate.exchanges(), 0U);
  EXPECT_TRUE(server.peers().empty());
}

TEST(FaultGate, truncates_the_response_after_n_bytes) {
  const LineServer server;
  for (const std::size_t n : {1U, 3U, 6U}) {
    const FaultGate fin(server.port(), always(response_truncated_at(n, End::fin)));
    const FaultGate reset(server.port(), always(response_truncated_at(n, End::reset)));
    const std::string let_through = std::string("re:hi\n").substr(0, n);
    EXPECT_EQ(Client(fin.port()).ask("hi\n").bytes, let_through);
    const Client client(fin.port());
    client.send("hi\n");
    EXPECT_EQ(client.read_all(), (Read{let_through, Ended::fin}));
    const Client other(reset.port());
    other.send("hi\n");
    EXPECT_EQ(other.read_all(), (Read{let_through, Ended::reset}));
  }
}

TEST(FaultGate, truncates_at_byte_0_only_once_the_server_has_acted) {
  for (const End end : {End::fin, End::reset}) {
    std::atomic<bool> acted = false;
    const LineServer server([&](const std::string&) {
      acted = true;
      return std::string("done\n");
    });
    const FaultGate gate(server.port(), always(response_truncated_at(0, end)));
    const Client client(gate.port());
    client.send("hi\n");
    EXPECT_EQ(client.read_all(), (Read{"", end == End::fin ? Ended::fin : Ended::reset}));
    EXPECT_TRUE(acted);
  }
}

TEST(FaultGate, sends_a_large_piece_whole_before_it_resets) {
  const std::string large(3'000'000, 'z');
  const LineServer server([&](const std::string&) { return large; });
  const FaultGate gate(server.port(), always(response_truncated_at(2'000'000, End::reset)));
  const Client client(gate.port());
  client.send("hi\n");
  const Read read = client.read_all();
  EXPECT_EQ(read.bytes.size(), 2'000'000U);
  EXPECT_EQ(read.ended, Ended::reset);
}

TEST(FaultGate, ends_before_the_response_where_the_fault_names_no_place) {
  const LineServer server;
  Fault fault;
  fault.end = End::fin;
  const FaultGate gate(server.port(), always(fault));
  const Client client(gate.port());
  client.send("hi\n");
  EXPECT_EQ(client.read_all(), (Read{"", Ended::fin}));
  EXPECT_EQ(server.received(), "hi\n");  // it has answered, so it has read
}

TEST(FaultGate, truncates_the_request_after_n_bytes_and_closes_both_sides) {
  for (const std::size_t n : {0U, 1U, 4U}) {
    for (const End end : {End::fin, End::reset}) {
      const LineServer server;
      const FaultGate gate(server.port(), always(request_truncated_at(n, end)));
      const Client client(gate.port());
      client.send("hello\n");
      EXPECT_EQ(client.read_all(), (Read{"", end == End::fin ? Ended::fin : Ended::reset}));
      ASSERT_TRUE(eventually([&] { return server.ended() == 1; }));
      EXPECT_EQ(server.received(), std::string("hello\n").substr(0, n));
    }
  }
}

TEST(FaultGate, ends_in_order_though_the_client_is_still_sending) {
  const LineServer server;
  const FaultGate gate(server.port(), always(request_truncated_at(10, End::fin)));
  const Client client(gate.port());
  client.send(std::string(5'000'000, 'x'));
  EXPECT_EQ(client.read_all(), (Read{"", Ended::fin}));
  ASSERT_TRUE(eventually([&] { return server.ended() == 1; }));
  EXPECT_EQ(server.received(), std::string(10, 'x'));
}

TEST(FaultGate, leaves_unread_what_comes_after_the_end_if_told_so) {
  for (const End end : {End::fin, End::silence}) {
    const LineServer server;
    Fault fault = forged("no more", end);
    fault.truncate_request_at = 10;
    fault.stop_reading = true;
    const FaultGate gate(server.port(), always(fault));
    const Client client(gate.port());
    const std::string more(64 * 1024, 'x');
    client.send(more);
    EXPECT_EQ(client.read(7).bytes, "no more");
    std::size_t sent = 0;
    const auto goes_out = [&] {
      return ::send(client.fd(), more.data(), more.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
    };
    while (sent < 64'000'000 && goes_out()) sent += more.size();
    EXPECT_LT(sent, 64'000'000U) << "somebody reads what the client sends";
    EXPECT_EQ(errno, EAGAIN);
  }
}

TEST(FaultGate, responds_to_a_request_that_it_truncated) {
  const LineServer server;
  Fault fault = forged("too long", End::fin);
  fault.truncate_request_at = 2;
  const FaultGate gate(server.port(), always(fault));
  const Client client(gate.port());
  client.send("hello\n");
  EXPECT_EQ(client.read_all(), (Read{"too long", Ended::fin}));
  ASSERT_TRUE(eventually([&] { return server.ended() == 1; }));
  EXPECT_EQ(server.received(), "he");
}

TEST(FaultGate, never_lets_the_rest_of_a_forged_response_into_the_next_exchange) {
  const LineServer server([](const std::string& line) { return line == "long\n" ? std::string(300'000, 'L') : line; });
  const FaultGate gate(server.port(), first_only(forged("forged\n", End::keep)));
  for (int i = 0; i < 20; ++i) {
    const Client client(gate.port());
    client.send("long\n");
    ASSERT_EQ(client.read(7).bytes, "forged\n");
    client.send("next\n");
    ASSERT_EQ(client.read(5), Read{"next\n"});
  }
}

TEST(FaultGate, forges_a_response_where_the_server_only_closes) {
  LineServer* self = nullptr;
  LineServer server([&](const std::string&) {
    self->close_all();
    return std::string();
  });
  self = &server;
  const FaultGate gate(server.port(), first_only(forged("forged\n", End::keep)));
  const Client client(gate.port());
  client.send("hi\n");
  EXPECT_EQ(client.read(7), Read{"forged\n"});
  client.send("next\n");
  EXPECT_EQ(client.read_all(), (Read{"", Ended::fin}));
}

TEST(FaultGate, truncates_a_forged_response_too) {
  const LineServer server;
  Fault fault = forged("forged", End::fin);
  fault.truncate_response_at = 3;
  const FaultGate gate(server.port(), always(fault));
  const Client client(gate.port());
  client.send("hi\n");
  EXPECT_EQ(client.read_all(), (Read{"for", Ended::fin}));
}

TEST(FaultGate, keeps_the_connection_after_a_truncated_response_if_told_so) {
  const LineServer server;
  const FaultGate gate(server.port(), first_only(response_truncated_at(2, End::keep)));
  const Client client(gate.port());
  client.send("hi\n");
  EXPECT_EQ(client.read(2).bytes, "re");
  EXPECT_EQ(client.ask("more\n"), Read{"re:more\n"});
}

TEST(FaultGate, delays_the_response) {
  const LineServer server;
  Fault fault;
  fault.delay = 60ms;
  const FaultGate gate(server.port(), always(fault));
  const Client client(gate.port());
  EXPECT_GE(time_of([&] { EXPECT_EQ(client.ask("a\n"), Read{"re:a\n"}); }), 60ms);
  EXPECT_GE(time_of([&] { EXPECT_EQ(client.ask("b\n"), Read{"re:b\n"}); }), 60ms);
}

TEST(FaultGate, drips_the_response_byte_by_byte) {
  const LineServer server;
  Fault slow;
  slow.drip = 10ms;
  const FaultGate gate(server.port(), always(slow));
  const Client client(gate.port());
  EXPECT_GE(time_of([&] { EXPECT_EQ(client.ask("abc\n"), Read{"re:abc\n"}); }), 60ms);

  Fault slower;
  slower.drip = 1h;
  const FaultGate waiting(server.port(), always(slower));
  const Client patient(waiting.port());
  patient.send("abc\n");
  EXPECT_EQ(patient.read(1).bytes, "r");
  EXPECT_TRUE(patient.nothing_came());
}

TEST(FaultGate, stays_silent_until_the_client_closes) {
  const LineServer server;
  Fault fault;
  fault.end = End::silence;
  const FaultGate gate(server.port(), always(fault));
  {
    const Client client(gate.port());
    client.send("hi\n");
    ASSERT_TRUE(eventually([&] { return server.ended() == 1; }));
    client.send("are you there?\n");
    EXPECT_TRUE(client.nothing_came());
    EXPECT_EQ(gate.open_connections(), 1U);
  }
  EXPECT_TRUE(eventually([&] { return gate.open_connections() == 0; }));
  EXPECT_EQ(server.received(), "hi\n");
}

TEST(FaultGate, notices_that_a_client_leaves_in_the_middle_of_a_response) {
  const LineServer server;
  Fault fault;
  fault.delay = 1h;
  const FaultGate gate(server.port(), always(fault));
  {
    const Client client(gate.port());
    client.send("hi\n");
    ASSERT_TRUE(eventually([&] { return server.received() == "hi\n"; }));
  }
  EXPECT_TRUE(eventually([&] { return gate.open_connections() == 0 && server.ended() == 1; }));
}

TEST(FaultGate, gives_the_server_what_a_client_sent_before_it_left) {
  const LineServer server;
  const FaultGate gate(server.port());
  const std::string line = std::string(500'000, 'x') + "\n";
  Client(gate.port()).send(line);
  EXPECT_TRUE(eventually([&] { return server.received() == line; }));
}

TEST(FaultGate, refuses_new_connections_once_it_has_stopped_listening) {
  const LineServer server;
  FaultGate gate(server.port());
  const Client client(gate.port());
  (void)client.ask("a\n");
  gate.stop_listening();
  EXPECT_EQ(Client(gate.port()).error(), ECONNREFUSED);
  EXPECT_EQ(client.ask("b\n"), Read{"re:b\n"});
  EXPECT_EQ(Client(gate.port()).error(), ECONNREFUSED);
}

TEST(FaultGate, stops_listening_strictly_before_the_client_learns_of_the_end) {
  const LineServer server;
  for (const End end : {End::fin, End::reset}) {
    for (int i = 0; i < 50; ++i) {
      Fault fault = response_truncated_at(0, end);
      fault.stop_listening = true;
      const FaultGate gate(server.port(), always(fault));
      const Client client(gate.port());
      client.send("hi\n");
      (void)client.read_all();
      ASSERT_EQ(Client(gate.port()).error(), ECONNREFUSED);
    }
  }
}

TEST(FaultGate, sends_stray_bytes_to_those_between_exchanges_only) {
  std::latch hold(1);
  const LineServer server([&](const std::string& line) {
    if (line == "wait\n") hold.wait();
    return "re:" + line;
  });
  FaultGate gate(server.port());
  const Client idle(gate.port());
  const Client busy(gate.port());
  (void)idle.ask("a\n");
  busy.send("wait\n");
  ASSERT_TRUE(eventually([&] { return gate.exchanges() == 2; }));
  EXPECT_EQ(gate.send_stray("stray\n"), 1U);
  EXPECT_EQ(idle.read(6).bytes, "stray\n");
  hold.count_down();
  EXPECT_EQ(busy.read(8), Read{"re:wait\n"});
  EXPECT_EQ(idle.ask("b\n"), Read{"re:b\n"});
}

TEST(FaultGate, closes_connections_in_order_or_by_reset) {
  const LineServer server;
  FaultGate gate(server.port());
  const Client first(gate.port());
  (void)first.ask("a\n");
  EXPECT_EQ(gate.close_connections(), 1U);
  EXPECT_EQ(gate.open_connections(), 0U);
  EXPECT_EQ(first.read_all(), (Read{"", Ended::fin}));
  const Client second(gate.port());
  (void)second.ask("b\n");
  EXPECT_EQ(gate.close_connections(End::reset), 1U);
  EXPECT_EQ(second.read_all(), (Read{"", Ended::reset}));
  EXPECT_EQ(gate.close_connections(End::reset), 0U);
  EXPECT_EQ(gate.open_connections(), 0U);
}

TEST(FaultGate, passes_on_that_the_server_has_closed) {
  LineServer server;
  const FaultGate gate(server.port());
  const Client client(gate.port());
  (void)client.ask("a\n");
  server.close_all();
  EXPECT_EQ(client.read_all(), (Read{"", Ended::fin}));
}

TEST(FaultGate, closes_a_client_whose_server_is_gone) {
  FaultGate gone(1);
  gone.stop_listening();  // the port stays its own, and nobody else's server comes to be there
  const FaultGate gate(gone.port());
  const Client client(gate.port());
  client.send("hi\n");
  EXPECT_EQ(client.read_all(), (Read{"", Ended::fin}));
  EXPECT_EQ(gate.exchanges(), 1U);
}

TEST(FaultGate, leaves_a_client_that_is_not_greeted_without_a_byte) {
  const LineServer server;
  FaultGate gate(server.port(), {.greet = [](std::uint64_t connection) { return connection != 1; }});
  const Client shunned(gate.port());
  shunned.send("hi\n");
  ASSERT_TRUE(eventually([&] { return gate.connections() == 1; }));
  const Client greeted(gate.port());
  EXPECT_EQ(greeted.ask("a\n"), Read{"re:a\n"});
  EXPECT_TRUE(shunned.nothing_came());
  EXPECT_EQ(server.received(), "a\n");
  EXPECT_EQ(gate.close_connections(), 2U);
  EXPECT_EQ(shunned.read_all(), (Read{"", Ended::fin}));
}

TEST(FaultGate, ends_promptly_whatever_its_connections_wait_for) {
  const LineServer server([](const std::string&) { return std::string(4'000'000, 'x'); });
  Fault delayed;
  delayed.delay = 1h;
  Fault dripping;
  dripping.drip = 1h;
  const std::vector<Fault> faults = {delayed, dripping, response_truncated_at(0, End::silence), Fault{}};
  auto gate = std::make_unique<FaultGate>(server.port(), FaultGate::Options{.plan = [&](const FaultGate::Position& at) {
                                            return faults.at((at.connection - 1) % faults.size());
                                          }});
  std::list<Client> clients;
  for (std::size_t i = 0; i < faults.size(); ++i) clients.emplace_back(gate->port()).send("hi\n");
  ASSERT_TRUE(eventually([&] { return gate->exchanges() == faults.size(); }));
  const auto took = time_of([&] { gate.reset(); });
  std::cout << "its end took " << took.count() << " ms\n";
  EXPECT_LT(took, 2s * CONNECTID_TEST_PATIENCE) << "it waited for them";
}

TEST(FaultGate, takes_no_processor_time_while_it_waits) {
  const LineServer server([](const std::string&) { return std::string(4'000'000, 'x'); });
  Fault delayed;
  delayed.delay = 1h;
  Fault dripping;
  dripping.drip = 1h;
  const std::vector<Fault> faults = {delayed,
                                     dripping,
                                     response_truncated_at(0, End::silence),
                                     response_truncated_at(0, End::fin),
                                     Fault{},
                                     request_truncated_at(1, End::keep)};
  const FaultGate gate(server.port(), {.plan = [&](const FaultGate::Position& at) {
                         return faults.at((at.connection - 1) % faults.size());
                       }});
  std::list<Client> clients;
  for (std::size_t i = 0; i < faults.size(); ++i) clients.emplace_back(gate.port()).send("hi\n");
  ASSERT_TRUE(eventually([&] { return gate.exchanges() == faults.size(); }));
  const auto rests = [] {
    const std::clock_t begin = std::clock();
    std::this_thread::sleep_for(100ms);
    return std::clock() - begin < CLOCKS_PER_SEC / 100;
  };
  EXPECT_TRUE(eventually(rests));  // not at once: at first there are bytes to be moved
}

TEST(FaultGate, serves_many_connections_at_once) {
  const LineServer server;
  FaultGate gate(server.port());
  std::atomic<int> good = 0;
  {
    std::list<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 10; ++j) {
          const Client client(gate.port());
          good += client.ask("a\n") == Read{"re:a\n"} && client.ask("b\n") == Read{"re:b\n"};
        }
      });
    }
    for (int i = 0; i < 20; ++i) gate.send_stray("");
  }
  EXPECT_EQ(good, 160);
  EXPECT_EQ(gate.connections(), 160U);
  EXPECT_EQ(gate.exchanges(), 320U);
  EXPECT_TRUE(eventually([&] { return gate.open_connections() == 0; }));
}

class FaultGateWithTls : public ::testing::Test {
 protected:
  [[nodiscard]] FaultGate::Options with(Fault fault) const {
    return {.plan = [fault](const FaultGate::Position&) { return fault; }, .certificate = certificate_};
  }

  const Certificate certificate_ = make_certificate();
  const LineServer server_;
};

TEST_F(FaultGateWithTls, speaks_tls_to_its_clients_and_plain_to_its_server) {
  const FaultGate gate(server_.port(), {.certificate = certificate_});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsClient client(gate.port(), certificate_.authority, "localhost", version);
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.ask("one\n"), Read{"re:one\n"});
    EXPECT_EQ(client.ask("two\n"), Read{"re:two\n"});
  }
  EXPECT_EQ(gate.exchanges(), 4U);
}

TEST_F(FaultGateWithTls, refuses_what_is_older_than_tls_1_2) {
  const FaultGate gate(server_.port(), {.certificate = certificate_});
  EXPECT_FALSE(TlsClient(gate.port(), certificate_.authority, "localhost", TLS1_1_VERSION).connected());
}

TEST_F(FaultGateWithTls, is_not_trusted_under_another_name_or_authority) {
  const FaultGate gate(server_.port(), {.certificate = certificate_});
  EXPECT_FALSE(TlsClient(gate.port(), certificate_.authority, "example.org").connected());
  EXPECT_FALSE(TlsClient(gate.port(), make_certificate().authority).connected());
  EXPECT_EQ(gate.exchanges(), 0U);
}

TEST_F(FaultGateWithTls, counts_the_bytes_inside) {
  const FaultGate response(server_.port(), with(response_truncated_at(4, End::fin)));
  const TlsClient client(response.port(), certificate_.authority);
  client.send("hello\n");
  EXPECT_EQ(client.read_all(), (Read{"re:h", Ended::fin}));
  const FaultGate request(server_.port(), with(request_truncated_at(2, End::reset)));
  const TlsClient other(request.port(), certificate_.authority);
  other.send("world\n");
  EXPECT_EQ(other.read_all(), (Read{"", Ended::reset}));
  EXPECT_TRUE(eventually([&] { return server_.ended() == 2; }));
  EXPECT_EQ(server_.received(), "hello\nwo");
}

TEST_F(FaultGateWithTls, forges_and_drips_inside) {
  Fault fault = forged("forged", End::reset);
  fault.drip = 1ms;
  const FaultGate gate(server_.port(), with(fault));
  const TlsClient client(gate.port(), certificate_.authority);
  client.send("hello\n");
  EXPECT_EQ(client.read_all(), (Read{"forged", Ended::reset}));
}

TEST_F(FaultGateWithTls, sends_stray_bytes_inside) {
  FaultGate gate(server_.port(), {.certificate = certificate_});
  const TlsClient client(gate.port(), certificate_.authority);
  (void)client.ask("a\n");
  EXPECT_EQ(gate.send_stray("stray"), 1U);
  EXPECT_EQ(client.read(5).bytes, "stray");
  EXPECT_EQ(gate.close_connections(), 1U);
  EXPECT_EQ(client.read_all(), (Read{"", Ended::fin}));
}

TEST_F(FaultGateWithTls, says_in_tls_that_it_is_the_end) {
  const FaultGate gate(server_.port(), with(forged("forged", End::close_notify)));
  const TlsClient client(gate.port(), certificate_.authority);
  client.send("hello\n");
  EXPECT_EQ(client.read_all(), (Read{"forged", Ended::in_tls}));
  const FaultGate plain(server_.port(), always(forged("forged", End::close_notify)));
  const Client other(plain.port());
  other.send("hello\n");
  EXPECT_EQ(other.read_all(), (Read{"forged", Ended::fin}));
}

TEST_F(FaultGateWithTls, says_in_tls_1_3_what_nobody_is_to_read) {
  FaultGate gate(server_.port(), {.certificate = certificate_});
  for (const auto what : {FaultGate::Aside::key_update, FaultGate::Aside::session_ticket}) {
    const TlsClient client(gate.port(), certificate_.authority);
    EXPECT_EQ(client.ask("a\n"), Read{"re:a\n"});
    EXPECT_EQ(gate.send_aside(what), 1U);
    EXPECT_EQ(client.ask("b\n"), Read{"re:b\n"}) << "the keys are no longer the same";
    EXPECT_EQ(gate.close_connections(), 1U);
  }
  const TlsClient old(gate.port(), certificate_.authority, "localhost", TLS1_2_VERSION);
  EXPECT_EQ(old.ask("a\n"), Read{"re:a\n"});
  EXPECT_EQ(gate.send_aside(FaultGate::Aside::key_update), 0U);
}

TEST_F(FaultGateWithTls, relays_what_is_much_larger_than_its_window) {
  const FaultGate gate(server_.port(), {.certificate = certificate_});
  const TlsClient client(gate.port(), certificate_.authority);
  const std::string line = std::string(1'000'000, 'x') + "\n";
  EXPECT_EQ(client.ask(line), Read{"re:" + line});
}

TEST_F(FaultGateWithTls, survives_clients_that_do_not_speak_it) {
  const FaultGate gate(server_.port(), {.certificate = certificate_});
  const Client client(gate.port());
  client.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client.read_all().ended, Ended::fin);
  EXPECT_EQ(gate.exchanges(), 0U);
}

TEST_F(FaultGateWithTls, passes_tls_through_untouched_without_a_certificate) {
  const FaultGate inner(server_.port(), {.certificate = certificate_});
  const FaultGate outer(inner.port());
  const TlsClient client(outer.port(), certificate_.authority);
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.ask("one\n"), Read{"re:one\n"});
}

TEST_F(FaultGateWithTls, throws_where_the_certificate_cannot_be_used) {
  Certificate broken = certificate_;
  broken.key = "no key";
  EXPECT_THROW(FaultGate(server_.port(), {.certificate = broken}), std::runtime_error);
  broken = certificate_;
  broken.key = make_certificate().key;
  EXPECT_THROW(FaultGate(server_.port(), {.certificate = broken}), std::runtime_error);
}

}  // namespace
