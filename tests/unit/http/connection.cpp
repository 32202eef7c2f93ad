// A connection that libcurl made and we use: each trap that libcurl's send and receive have, shown to be avoided. Real
// sockets on loopback, plain and over TLS.
#include "http/connection.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "base/sha256.hpp"
#include "support/eventually.hpp"
#include "support/loopback_server.hpp"

namespace connectid::detail {
namespace {

using namespace http;

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using Peer = LoopbackServer::Peer;
using State = Moved::State;

steady_clock::time_point soon() { return steady_clock::now() + 30s; }

/// What a transport is made of, as far as connections need it.
struct Dialler {
  explicit Dialler(const LoopbackServer& server)
      : options{.ca_pem = server.authority()}, url(parse_url(server.url())) {}

  [[nodiscard]] std::unique_ptr<Connection> open() {
    auto opened = Connection::open(url, options, tls, {.deadline = soon()});
    if (const auto* failure = std::get_if<Failure>(&opened)) {
      ADD_FAILURE() << failure->text;
      return nullptr;
    }
    return std::get<std::unique_ptr<Connection>>(std::move(opened));
  }

  CurlOptions options;
  SharedTls tls{options};
  Url url;
};

/// Sends from where it lies, as a transport does; how often it was told to wait.
int send_all(Connection& connection, std::string_view bytes) {
  int waits = 0;
  while (!bytes.empty()) {
    const Moved moved = connection.send(bytes);
    EXPECT_LE(moved.bytes, Connection::longest_send);
    if (moved.state == State::again) {
      ++waits;
      connection.wait(true, soon());
    } else if (moved.state != State::some) {
      ADD_FAILURE() << "nothing can be sent";
      break;
    }
    bytes.remove_prefix(moved.bytes);
  }
  return waits;
}

std::string receive_all_of(Connection& connection, std::size_t count) {
  std::string came;
  std::array<char, 4096> buffer{};
  while (came.size() < count) {
    const Moved moved = connection.receive(buffer);
    came.append(buffer.data(), moved.bytes);
    if (moved.state == State::again) {
      connection.wait(false, soon());
    } else if (moved.state != State::some) {
      break;
    }
  }
  return came;
}

/// Says back what it hears, byte by byte, until the client leaves.
void echo(Peer& peer) {
  for (std::string byte = peer.hear(1); !byte.empty(); byte = peer.hear(1)) peer.say(byte);
}

std::string exchange(Connection& connection, const std::string& bytes) {
  send_all(connection, bytes);
  return receive_all_of(connection, bytes.size());
}

std::string noise(std::size_t size) {
  std::minstd_rand dice(1);
  std::string bytes(size, '\0');
  std::ranges::generate(bytes, [&] { return static_cast<char>(dice() >> 8U); });
  return bytes;
}

class ConnectionWire : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Wire, ConnectionWire, ::testing::Bool(),
                         [](const auto& row) { return row.param ? "tls" : "plain"; });

TEST_P(ConnectionWire, four_megabytes_arrive_whole_in_sends_of_one_record_at_the_most) {
  constexpr std::size_t size = 4 * 1024 * 1024;
  LoopbackServer server({.tls = GetParam()}, [](Peer& peer) {
    const std::string heard = peer.hear_all_of(size);
    peer.say(detail::to_hex(detail::sha256(heard)));
    static_cast<void>(peer.hear());
  });
  Dialler dialler(server);
  const auto connection = dialler.open();
  ASSERT_TRUE(connection);
  const std::string bytes = noise(size);
  send_all(*connection, bytes);
  EXPECT_EQ(receive_all_of(*connection, 64), detail::to_hex(detail::sha256(bytes)));
}

TEST_P(ConnectionWire, what_was_not_taken_is_sent_again_and_arrives_once) {
  constexpr std::size_t size = 16 * 1024 * 1024;  // more than any socket buffers
  std::promise<void> full;
  LoopbackServer server({.tls = GetParam(), .receive_buffer = 4096},
                        [&, is_full = full.get_future().share()](Peer& peer) {
                          is_full.wait_for(30s);
                          const std::string heard = peer.hear_all_of(size);
                          peer.say(detail::to_hex(detail::sha256(heard)));
                          static_cast<void>(peer.hear());
                        });
  Dialler dialler(server);
  const auto connection = dialler.open();
  ASSERT_TRUE(connection);
  const std::string bytes = noise(size);
  std::string_view rest = bytes;
  // Until there is no room, and then some times more: a peer that decrypts while nobody counts would hear these twice.
  for (int refused = 0; refused < 10;) {
    const Moved moved = connection->send(rest);
    ASSERT_TRUE(moved.state == State::some || moved.state == State::again);
    refused += moved.state == State::again;
    rest.remove_prefix(moved.bytes);
    ASSERT_FALSE(rest.empty());
  }
  full.set_value();
  EXPECT_GT(send_all(*connection, rest), 0);
  EXPECT_EQ(receive_all_of(*connection, 64), detail::to_hex(detail::sha256(bytes)));
}

// Where a longer send says `again`, OpenSSL may have sent record after record of it, and nobody knows how many.
TEST_P(ConnectionWire, no_more_has_left_than_was_taken_and_over_tls_one_record_at_the_most) {
  static_assert(Connection::longest_send <= 16 * 1024);
  std::promise<void> full;
  std::promise<std::size_t> arrived;
  // Without tickets: a client that closes before it has read all resets.
  LoopbackServer server({.tls = GetParam(), .tickets = 0, .receive_buffer = 4096},
                        [&, is_full = full.get_future().share()](Peer& peer) {
                          is_full.wait_for(30s);
                          std::size_t heard = 0;
                          for (auto bytes = peer.hear(); !bytes.empty(); bytes = peer.hear()) heard += bytes.size();
                          arrived.set_value(heard);
                        });
  Dialler dialler(server);
  auto connection = dialler.open();
  ASSERT_TRUE(connection);
  const std::string bytes = noise(1024 * 1024);
  std::size_t taken = 0;
  for (Moved moved = connection->send(bytes); moved.state == State::some; moved = connection->send(bytes)) {
    taken += moved.bytes;
  }
  connection.reset();
  full.set_value();
  auto result = arrived.get_future();
  ASSERT_EQ(result.wait_for(30s), std::future_status::ready);
  const std::size_t heard = result.get();
  EXPECT_GE(heard, taken);
  EXPECT_LE(heard, taken + (GetParam() ? 16 * 1024 : 0));
}

// libcurl takes a connection on which bytes wait (session tickets) for one that is dead, and closes it, once it is a
// second old and another one begins in the same multi handle.
TEST_P(ConnectionWire, that_was_never_touched_survives_the_dialling_of_another) {
  LoopbackServer server({.tls = GetParam()}, echo);
  Dialler dialler(server);
  const auto old = dialler.open();
  ASSERT_TRUE(old);
  std::this_thread::sleep_for(1100ms);  // its age is what is tested
  const auto young = dialler.open();
  ASSERT_TRUE(young);
  EXPECT_EQ(exchange(*old, "still here"), "still here");
  EXPECT_EQ(exchange(*young, "here, too"), "here, too");
}

TEST_P(ConnectionWire, that_is_destroyed_closes_its_own_descriptor_at_once_and_no_other) {
  std::atomic<int> left = 0;
  LoopbackServer server({.tls = GetParam()}, [&](Peer& peer) {
    echo(peer);
    ++left;
  });
  Dialler dialler(server);
  auto first = dialler.open();
  const auto second = dialler.open();
  auto third = dialler.open();
  ASSERT_TRUE(first && second && third);
  EXPECT_EQ(exchange(*first, "1"), "1");
  const auto before = descriptors_to(server.port());
  EXPECT_EQ(before.size(), 3U);
  first.reset();
  EXPECT_EQ(descriptors_to(server.port()).size(), 2U);
  third.reset();
  EXPECT_EQ(descriptors_to(server.port()).size(), 1U);
  EXPECT_TRUE(eventually([&] { return left == 2; }));
  EXPECT_EQ(exchange(*second, "2"), "2");
}

TEST(Connection, that_could_not_be_opened_leaves_no_descriptor) {
  LoopbackServer server({.tls = true}, echo);
  Dialler dialler(server);
  dialler.options.ca_pem = testing::make_certificate().authority;
  const auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto fails = [&] {
    const auto opened = Connection::open(dialler.url, dialler.options, dialler.tls, {.deadline = soon()});
    const auto* failure = std::get_if<Failure>(&opened);
    return failure && failure->cause == Cause::certificate && !failure->body_left;
  };
  ASSERT_TRUE(fails());  // what libcurl and OpenSSL open once is open now
  EXPECT_TRUE(eventually([&] { return server.connections() == 1 && descriptors_to(server.port()).empty(); }));
  const auto before = count();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(fails());
  EXPECT_TRUE(descriptors_to(server.port()).empty());
  // The server closes its ends in its own time.
  EXPECT_TRUE(eventually([&] { return count() <= before; })) << count() << " of " << before;
}

class ConnectionThreads : public ConnectionWire {};
INSTANTIATE_TEST_SUITE_P(Wire, ConnectionThreads, ::testing::Bool(),
                         [](const auto& row) { return row.param ? "tls" : "plain"; });

TEST_P(ConnectionThreads, three_use_one_in_turn_and_a_fourth_closes_it) {
  std::atomic<int> left = 0;
  LoopbackServer server({.tls = GetParam()}, [&](Peer& peer) {
    echo(peer);
    ++left;
  });
  Dialler dialler(server);
  std::unique_ptr<Connection> connection;
  std::jthread([&] { connection = dialler.open(); }).join();
  ASSERT_TRUE(connection);
  for (const char* said : {"one", "two", "three"}) {
    std::jthread([&] { EXPECT_EQ(exchange(*connection, said), said); }).join();
  }
  std::jthread([&] { connection.reset(); }).join();
  EXPECT_TRUE(descriptors_to(server.port()).empty());
  EXPECT_TRUE(eventually([&] { return left == 1; }));
}

TEST_P(ConnectionThreads, another_ends_a_wait_that_is_on_or_is_to_come) {
  LoopbackServer server({.tls = GetParam()}, echo);
  Dialler dialler(server);
  const auto connection = dialler.open();
  ASSERT_TRUE(connection);
  connection->wake();
  connection->wait(false, soon());  // comes back, or the test takes half a minute
  const auto second = dialler.open();
  ASSERT_TRUE(second);
  const std::jthread waker([&] { second->wake(); });
  const auto deadline = soon();
  second->wait(false, deadline);
  EXPECT_LT(steady_clock::now(), deadline);
}

TEST_P(ConnectionWire, what_a_peer_said_before_it_reset_can_be_read) {
  std::promise<void> read;
  std::promise<void> gone;
  LoopbackServer server({.tls = GetParam()}, [&, is_read = read.get_future().share()](Peer& peer) {
    static_cast<void>(peer.hear(1));
    peer.say("the end");
    is_read.wait_for(30s);
    peer.reset();
    gone.set_value();
  });
  Dialler dialler(server);
  const auto connection = dialler.open();
  ASSERT_TRUE(connection);
  send_all(*connection, "x");
  EXPECT_EQ(receive_all_of(*connection, 7), "the end");
  read.set_value();
  ASSERT_EQ(gone.get_future().wait_for(30s), std::future_status::ready);
  std::array<char, 16> buffer{};
  Moved first = connection->receive(buffer);
  for (; first.state == State::again; first = connection->receive(buffer)) connection->wait(false, soon());
  EXPECT_EQ(first.state, State::failed);
  EXPECT_TRUE(first.cause == Cause::reset || first.cause == Cause::closed) << to_string(first.cause);
  // Whatever the second look says (an end of the stream, in some versions), it brings nothing.
  EXPECT_EQ(connection->receive(buffer).bytes, 0U);
  EXPECT_EQ(connection->send("x").bytes, 0U);
}

TEST_P(ConnectionWire, an_end_is_seen_before_anything_is_sent) {
  LoopbackServer server({.tls = GetParam()}, [](Peer& peer) {
    peer.fin();
    static_cast<void>(peer.hear());
  });
  Dialler dialler(server);
  const auto connection = dialler.open();
  ASSERT_TRUE(connection);
  std::array<char, 1> buffer{};
  Moved moved = connection->receive_surely(buffer);
  for (; moved.state == State::again; moved = connection->receive_surely(buffer)) connection->wait(false, soon());
  EXPECT_TRUE(moved.state == State::closed || moved.state == State::failed);
}

TEST(ConnectionTickets, do_not_hide_the_bytes_behind_them) {
  std::promise<void> said;
  LoopbackServer server({.tls = true, .tickets = 4}, [&](Peer& peer) {
    peer.say("x");
    EXPECT_TRUE(peer.arrived());
    said.set_value();
    static_cast<void>(peer.hear());
  });
  Dialler dialler(server);
  const auto connection = dialler.open();
  ASSERT_TRUE(connection);
  ASSERT_EQ(said.get_future().wait_for(30s), std::future_status::ready);
  std::array<char, 1> buffer{};
  const Moved moved = connection->receive_surely(buffer);  // one look, as before a request
  EXPECT_EQ(moved.state, State::some);
  EXPECT_EQ(buffer[0], 'x');
}

TEST(ConnectionTickets, alone_are_silence) {
  std::promise<void> said;
  LoopbackServer server({.tls = true, .tickets = 4}, [&](Peer& peer) {
    EXPECT_TRUE(peer.arrived());
    said.set_value();
    echo(peer);
  });
  Dialler dialler(server);
  const auto connection = dialler.open();
  ASSERT_TRUE(connection);
  ASSERT_EQ(said.get_future().wait_for(30s), std::future_status::ready);
  std::array<char, 1> buffer{};
  EXPECT_EQ(connection->receive_surely(buffer).state, State::again);
  EXPECT_EQ(exchange(*connection, "and goes on"), "and goes on");
}

TEST(ConnectionOverTls, what_is_left_of_a_record_is_there_without_a_poll) {
  const std::string record = noise(16 * 1024);
  LoopbackServer server({.tls = true}, [&](Peer& peer) {
    peer.say(record);
    static_cast<void>(peer.hear());
  });
  Dialler dialler(server);
  const auto connection = dialler.open();
  ASSERT_TRUE(connection);
  EXPECT_EQ(receive_all_of(*connection, 1), record.substr(0, 4096));  // the socket is silent from now on
  std::string rest;
  std::array<char, 1000> buffer{};
  for (Moved moved = connection->receive(buffer); moved.state == State::some; moved = connection->receive(buffer)) {
    rest.append(buffer.data(), moved.bytes);
  }
  EXPECT_EQ(rest, record.substr(4096));
}

TEST_P(ConnectionWire, no_program_that_is_started_inherits_its_sockets) {
  LoopbackServer server({.tls = GetParam()}, echo);
  const auto all = [] {
    std::map<int, std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      found[std::stoi(entry.path().filename())] = std::filesystem::read_symlink(entry.path(), gone).string();
    }
    return found;
  };
  const auto before = all();
  Dialler dialler(server);
  const auto connection = dialler.open();
  ASSERT_TRUE(connection);
  ASSERT_EQ(exchange(*connection, "x"), "x");
  const auto to_the_server = descriptors_to(server.port());
  ASSERT_EQ(to_the_server.size(), 1U);
  EXPECT_TRUE(::fcntl(*to_the_server.begin(), F_GETFD) & FD_CLOEXEC);
  int eventfds = 0;
  for (const auto& [fd, what] : all()) {
    const auto known = before.find(fd);  // a number alone may be another one's by now
    if (what != "anon_inode:[eventfd]" || (known != before.end() && known->second == what)) continue;
    ++eventfds;
    EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC) << what;
  }
  EXPECT_GE(eventfds, 1) << "what ends a wait";
}

TEST(ConnectionPeer, is_named_for_people) {
  LoopbackServer server({}, echo);
  Dialler dialler(server);
  const auto connection = dialler.open();
  ASSERT_TRUE(connection);
  const std::string port = std::to_string(server.port());
  EXPECT_EQ(connection->peer(), "127.0.0.1:" + port + " at 127.0.0.1 port " + port);
  EXPECT_EQ(connection->origin(), server.url());
  EXPECT_TRUE(connection->plain());
}

TEST(ConnectionPlain, knows_whether_the_peers_tcp_has_acknowledged_anything) {
  LoopbackServer server({}, [](Peer& peer) { static_cast<void>(peer.hear_all_of(2)); });
  Dialler dialler(server);
  const auto connection = dialler.open();
  ASSERT_TRUE(connection);
  send_all(*connection, "x");
  EXPECT_TRUE(eventually([&] { return !connection->nothing_acknowledged(1); }));
}

}  // namespace
}  // namespace connectid::detail
