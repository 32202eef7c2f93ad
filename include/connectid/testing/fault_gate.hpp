#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <connectid/testing/certificate.hpp>

namespace connectid::inline v0::testing {

/// What a FaultGate does to one exchange: a request and its response on one connection. The default lets all through.
///
/// An `end` without a truncation and without a `response` comes in place of the response's first byte. A request that
/// is truncated with `keep` and without a `response` gets nothing more: that is `silence`. `response` may be truncated,
/// too.
struct Fault {
  /// How an exchange ends.
  enum class End {
    keep,          ///< the connection stays open for the next exchange
    fin,           ///< closed in order at the TCP level (no TLS close_notify); what the client still sends is dropped
    reset,         ///< RST
    silence,       ///< stays open and says nothing more, whatever comes, until the client closes
    close_notify,  ///< like `fin`, and where the gate speaks TLS it says before that this is the end
  };

  std::optional<std::size_t> truncate_request_at =
      std::nullopt;  ///< let so many bytes of the request through, then `end`
  std::optional<std::size_t> truncate_response_at =
      std::nullopt;                                    ///< let so many bytes of the response through, then `end`
  std::optional<std::string> response = std::nullopt;  ///< these bytes in place of the server's response, then `end`
  std::chrono::milliseconds delay{0};                  ///< wait so long before the response's first byte
  std::chrono::milliseconds drip{0};                   ///< wait so long between the single bytes of the response
  bool stop_listening = false;                         ///< refuse new connections from the moment of `end` on
  bool stop_reading = false;  ///< `fin`, `silence`: what the client still sends is not dropped but left unread, so that
                              ///< its sending comes to a halt
  End end = End::keep;        ///< what happens to the connection then
};

/// A byte relay on a free port of 127.0.0.1 in front of a server on loopback, which can cut, reset, delay and forge.
///
/// It knows no HTTP: an exchange begins with the first byte a client sends on a connection, or sends after bytes of an
/// response went the other way. TLS passes through untouched, unless the gate is given a certificate: then the gate
/// ends TLS itself, and all its faults speak of the bytes inside. A client that closes, be it one direction only, has
/// left: what it sent still reaches the server. Thread-safe. The destructor closes everything.
class FaultGate {
 public:
  /// Where an exchange stands in the traffic.
  struct Position {
    std::uint64_t connection = 0;        ///< 1 for the first connection accepted
    std::uint64_t number = 0;            ///< 1 for the first exchange on this connection
    std::uint16_t server_side_port = 0;  ///< the local port of the gate's own connection to the server
  };
  /// Called as each exchange begins, before its first byte goes on; from many threads at once. It must not throw, nor
  /// call `send_stray`, `send_aside` or `close_connections`: they wait for the thread that it runs in.
  using Plan = std::function<Fault(const Position&)>;

  /// How the gate is set up. Fill it with designated initialisers.
  struct Options {
    Plan plan = nullptr;                                    ///< none: all goes through
    std::optional<Certificate> certificate = std::nullopt;  ///< given: the gate speaks TLS to its clients
    std::string client_authority = {};  ///< PEM: with `certificate`, lets in only who shows one that it signed
    std::uint16_t port = 0;             ///< to listen on; 0: a free one
    /// Called once a connection is accepted; `false` leaves the client without a TLS handshake or any other byte. What
    /// holds for a Plan holds here.
    std::function<bool(std::uint64_t connection)> greet = nullptr;
  };

  /// `server_port` is on 127.0.0.1. Throws std::runtime_error where no port can be had or the certificate cannot be
  /// used.
  FaultGate(std::uint16_t server_port, Options options);
  /// With the default options: all goes through.
  explicit FaultGate(std::uint16_t server_port) : FaultGate(server_port, Options()) {}
  FaultGate(const FaultGate&) = delete;
  FaultGate& operator=(const FaultGate&) = delete;
  ~FaultGate();

  [[nodiscard]] std::uint16_t port() const noexcept;              ///< that it listens on, on 127.0.0.1
  [[nodiscard]] std::uint64_t connections() const noexcept;       ///< accepted so far
  [[nodiscard]] std::uint64_t exchanges() const noexcept;         ///< begun so far, on all connections
  [[nodiscard]] std::uint64_t open_connections() const noexcept;  ///< accepted, and closed by neither side

  /// New connections are refused from when this returns.
  void stop_listening();
  /// Sends the bytes to every client whose connection is open, between exchanges; returns to how many.
  std::size_t send_stray(std::string_view bytes);
  /// What TLS 1.3 says between requests, for itself: nothing of it is for the client's program to read.
  enum class Aside {
    key_update,      ///< RFC 8446 section 4.6.3
    session_ticket,  ///< RFC 8446 section 4.6.1
  };
  /// Says it to every client as `send_stray` does; to none whose connection is not of TLS 1.3.
  std::size_t send_aside(Aside what);
  /// Ends every client's connection so (`keep`: none), whatever it is at; returns how many.
  std::size_t close_connections(Fault::End how = Fault::End::fin);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace connectid::inline v0::testing
