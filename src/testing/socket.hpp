#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <connectid/testing/certificate.hpp>
#include <connectid/testing/fault_gate.hpp>

#include "base/fd.hpp"
#include "testing/openssl.hpp"

namespace connectid::inline v0::testing::detail {

using connectid::detail::Fd;

/// Ends another thread's poll(): readable from `signal` until `clear`. Thread-safe.
class Wake {
 public:
  Wake();
  void signal() const noexcept;
  void clear() const noexcept;
  [[nodiscard]] int fd() const noexcept { return event_.get(); }

 private:
  Fd event_;
};

/// Listens on a port of 127.0.0.1 that the kernel chose. Thread-safe.
class Listener {
 public:
  /// Throws std::runtime_error where no port can be had.
  /// On this port of 127.0.0.1, or on a free one (0). Throws std::runtime_error where it cannot be had.
  explicit Listener(std::uint16_t port);

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  /// Empty where none can be had now.
  [[nodiscard]] Fd accept() const noexcept;
  /// New connections, and those not accepted yet, are refused from when this returns. The port stays ours.
  void stop() noexcept;
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }

 private:
  Fd socket_;
  /// Bound to the same port but not listening: a stopped listener would give the port away to whoever comes next.
  Fd reservation_;
  std::uint16_t port_;
  std::atomic<bool> stopped_ = false;
};

/// Begins to connect to 127.0.0.1, without blocking; empty where it was refused at once.
[[nodiscard]] Fd connect_to(std::uint16_t port) noexcept;
[[nodiscard]] std::uint16_t local_port(int fd) noexcept;

/// Bytes that wait for their turn: appended at the end, dropped from the front.
class Buffer {
 public:
  [[nodiscard]] std::string_view view() const noexcept { return std::string_view(bytes_).substr(begin_); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() - begin_; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  void append(std::string_view bytes) { bytes_.append(bytes); }
  void drop(std::size_t count) noexcept {
    begin_ += count;
    if (empty()) clear();
  }
  void clear() noexcept {
    bytes_.clear();
    begin_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

/// For the server's side of TLS 1.2 and newer. With a `client_authority` (PEM), only clients whose certificate it
/// signed are let in. Throws std::runtime_error where the PEM cannot be used.
[[nodiscard]] SslContext server_context(const Certificate& certificate, const std::string& client_authority);

/// One end of a relayed connection. Never blocks, never raises SIGPIPE: TLS runs between two memory buffers, and all
/// that touches the socket is recv() and send(MSG_NOSIGNAL). Not thread-safe.
class Stream {
 public:
  /// Closed.
  Stream() = default;
  /// Plain, or the server's side of TLS where there is a context.
  explicit Stream(Fd fd, SSL_CTX* tls = nullptr);

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// Whether bytes can be sent: the TLS handshake is over.
  [[nodiscard]] bool ready() const noexcept;

  /// Appends to `to` what has come; false once the peer has closed (what came before is appended all the same).
  [[nodiscard]] bool read(std::string& to);
  /// Reads and forgets some of what has come, without a look inside; false once the peer has closed.
  [[nodiscard]] bool drop() noexcept;

  void write(std::string_view bytes);
  /// Sends what was written, as far as it goes; false where the connection is broken.
  [[nodiscard]] bool flush() noexcept;
  [[nodiscard]] bool unsent() const noexcept { return !out_.empty(); }
  [[nodiscard]] std::size_t backlog() const noexcept { return out_.size(); }
  /// Whether the kernel too has sent all: what it holds back would be lost in a reset.
  [[nodiscard]] bool left_the_kernel() const noexcept;

  /// Writes what TLS 1.3 says for itself; false where this is no such connection.
  [[nodiscard]] bool write_aside(FaultGate::Aside what);
  /// TLS: close_notify. Sent as far as it goes at once.
  void say_the_end();
  void send_fin() noexcept;
  void reset() noexcept;
  void close() noexcept;

 private:
  [[nodiscard]] bool decrypt(std::string_view bytes, std::string& to);
  void collect_encrypted();

  Fd fd_;
  Ssl ssl_;
  Buffer out_;
};

}  // namespace connectid::inline v0::testing::detail
