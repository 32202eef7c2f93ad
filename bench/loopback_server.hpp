#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

struct ssl_ctx_st;

namespace bench {

/// A started subscription, with the headers that the API sends beside it.
inline constexpr std::string_view started_response =
    "HTTP/1.1 200 OK\r\n"
    "Date: Wed, 01 Apr 2026 03:00:07 GMT\r\n"
    "Content-Type: application/json\r\n"
    "X-RateLimit-Remaining: 99\r\n"
    "X-RateLimit-Reset: 30\r\n"
    "Content-Length: 15\r\n"
    "\r\n"
    "{\"status\":\"OK\"}";

/// How the bytes cross the wire.
enum class Wire { plain, tls };

/// Keeps each connection and answers every request on it with the same bytes: as little work as a server can do, in
/// threads of its own that block. Starts when made, ends when destroyed. TLS is 1.3, with a certificate made on the
/// spot. Throws std::runtime_error (or its std::system_error) where it cannot listen.
class LoopbackServer {
 public:
  explicit LoopbackServer(std::string_view response, Wire wire = Wire::plain);
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer();

  [[nodiscard]] std::string url() const {
    return (authority_.empty() ? "http" : "https") + std::string("://127.0.0.1:") + std::to_string(port_);
  }
  /// PEM: to be trusted. Empty: it speaks no TLS.
  [[nodiscard]] const std::string& authority() const noexcept { return authority_; }
  /// The bytes of the request that came last.
  [[nodiscard]] std::string last_request() const;
  [[nodiscard]] std::size_t connections() const;

 private:
  void accept_all();
  void serve(int connection);
  void serve_all(const auto& receive, const auto& send);

  struct FreeContext {
    void operator()(ssl_ctx_st* context) const noexcept;
  };
  const std::string response_;
  std::string authority_;
  std::unique_ptr<ssl_ctx_st, FreeContext> tls_;  // null: plain
  int listener_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::string last_request_;
  std::vector<int> connections_;
  std::vector<std::jthread> threads_;
};

}  // namespace bench
