// A server of a test's own: what is heard and said on each connection is a function, be it plain or over TLS.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <connectid/testing/certificate.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "support/eventually.hpp"
#include "testing/openssl.hpp"
#include "testing/socket.hpp"

namespace connectid {

class LoopbackServer {
 public:
  struct Options {
    bool tls = false;
    std::size_t tickets = 2;  ///< session tickets after a handshake of TLS 1.3; with 0 no session is ever resumed
    int newest_tls = TLS1_3_VERSION;
    int receive_buffer = 0;                 ///< SO_RCVBUF, of the peer that reads slowly; 0: the system's
    testing::Certificate certificate = {};  ///< empty: one made on the spot
  };

  /// The server's end of one connection. Everything blocks, half a minute at the most.
  class Peer {
   public:
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    /// What comes next; empty: the client closed or reset, or it says nothing for half a minute.
    [[nodiscard]] std::string hear(std::size_t most = 64 * 1024) {
      std::string bytes(most, '\0');
      const auto count = ssl_ ? SSL_read(ssl_.get(), bytes.data(), static_cast<int>(most))
                              : static_cast<int>(::recv(socket_.get(), bytes.data(), most, 0));
      bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
      return bytes;
    }
    /// Less than so many only where no more comes.
    [[nodiscard]] std::string hear_all_of(std::size_t count) {
      std::string heard;
      while (heard.size() < count) {
        const std::string more = hear(std::min<std::size_t>(count - heard.size(), 64 * 1024));
        if (more.empty()) break;
        heard += more;
      }
      return heard;
    }
    /// The head of a request, to its blank line; what stands behind it is not touched.
    [[nodiscard]] std::string hear_head() {
      std::string head;
      while (!head.ends_with("\r\n\r\n")) {
        const std::string byte = hear(1);
        if (byte.empty()) break;
        head += byte;
      }
      return head;
    }
    void say(std::string_view bytes) {
      while (!bytes.empty()) {
        const auto count = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                                : static_cast<int>(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
        if (count <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(count));
      }
    }
    /// Hears and says nothing, until the client or the server goes.
    void hold() {
      pollfd gone{.fd = socket_.get(), .events = POLLRDHUP, .revents = 0};
      ::poll(&gone, 1, 30'000);
    }
    /// Whether all that was said lies in the client's socket.
    [[nodiscard]] bool arrived() const {
      return eventually([this] {
        int unacknowledged = -1;
        return ::ioctl(socket_.get(), SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0;
      });
    }
    /// TLS's own end, which says that nothing was cut off; the connection stays.
    void say_close_notify() { SSL_shutdown(ssl_.get()); }
    void fin() { ::shutdown(socket_.get(), SHUT_WR); }
    void reset() {
      const linger at_once{.l_onoff = 1, .l_linger = 0};
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      close();
    }

   private:
    friend class LoopbackServer;
    explicit Peer(detail::Fd socket) : socket_(std::move(socket)) {}
    void close() {
      const std::lock_guard lock(mutex_);
      socket_ = detail::Fd();
    }
    void wake() {
      const std::lock_guard lock(mutex_);
      ::shutdown(socket_.get(), SHUT_RDWR);
    }

    std::mutex mutex_;  // guards the closing only
    detail::Fd socket_;
    testing::detail::Ssl ssl_;
  };

  /// `serve` runs in a thread of each connection, which ends with it. It must not wait for what a failed test never
  /// does.
  LoopbackServer(Options options, std::function<void(Peer&)> serve)
      : options_(std::move(options)), serve_(std::move(serve)) {
    if (options_.tls) set_up_tls();
    listen();
    accepting_ = std::thread([this] { accept(); });
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer() {
    ::shutdown(listening_.get(), SHUT_RDWR);
    accepting_.join();
    for (const auto& peer : peers_) peer->wake();
    for (auto& thread : serving_) thread.join();
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const {
    return (options_.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_);
  }
  [[nodiscard]] const std::string& authority() const { return options_.certificate.authority; }
  [[nodiscard]] int connections() const { return connections_; }
  /// Whether each handshake so far, in the order of their ends, resumed a session.
  [[nodiscard]] std::vector<bool> resumed() const {
    const std::lock_guard lock(mutex_);
    return resumed_;
  }

 private:
  void set_up_tls() {
    if (options_.certificate.key.empty()) options_.certificate = testing::make_certificate();
    context_ = testing::detail::server_context(options_.certificate, "");
    SSL_CTX_set_max_proto_version(context_.get(), options_.newest_tls);
    SSL_CTX_set_num_tickets(context_.get(), options_.tickets);
    if (options_.tickets == 0) return;
    SSL_CTX_clear_options(context_.get(), SSL_OP_NO_TICKET);
    // For TLS 1.2 libcurl wants no tickets: then the server remembers. OpenSSL's forgets the session of a connection
    // that ends without close_notify, which newer versions of libcurl do not send; nginx keeps it, and so does this.
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_SERVER);
    SSL_CTX_set_options(context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  }
  void listen() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    listening_ = detail::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int bytes = options_.receive_buffer;
    if (bytes > 0) ::setsockopt(listening_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    EXPECT_EQ(bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listening_.get(), 128), 0);
    EXPECT_EQ(getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  void accept() {
    for (;;) {
      detail::Fd socket(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket) return;
      ++connections_;
      const timeval patience{.tv_sec = 30, .tv_usec = 0};
      ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
      const int on = 1;  // what comes behind session tickets does not wait for their acknowledgement
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      peers_.push_back(std::unique_ptr<Peer>(new Peer(std::move(socket))));
      serving_.emplace_back([this, peer = peers_.back().get()] { serve(*peer); });
    }
  }
  void serve(Peer& peer) {
    sigset_t pipe;  // OpenSSL writes to the socket without MSG_NOSIGNAL
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    if (!context_ || shake_hands(peer)) serve_(peer);
    if (context_) SSL_set_shutdown(peer.ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    peer.close();
  }
  bool shake_hands(Peer& peer) {
    peer.ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(peer.ssl_.get(), peer.socket_.get());
    if (SSL_accept(peer.ssl_.get()) != 1) return false;
    const std::lock_guard lock(mutex_);
    resumed_.push_back(SSL_session_reused(peer.ssl_.get()) == 1);
    return true;
  }

  Options options_;
  std::function<void(Peer&)> serve_;
  testing::detail::SslContext context_;
  detail::Fd listening_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  std::vector<bool> resumed_;
  std::vector<std::unique_ptr<Peer>> peers_;  // the accepting thread's, until it has ended
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

/// The descriptors by which this process is connected to a port as a client.
inline std::set<int> descriptors_to(std::uint16_t port) {
  std::set<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 && peer.sin_family == AF_INET &&
        ntohs(peer.sin_port) == port) {
      found.insert(fd);
    }
  }
  return found;
}

}  // namespace connectid
