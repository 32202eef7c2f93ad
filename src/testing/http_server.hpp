#pragma once

#include <httplib.h>

#include <cstdint>
#include <latch>
#include <memory>
#include <thread>

#include <connectid/testing/fake_server.hpp>

#include "base/fd.hpp"

namespace connectid::inline v0::testing::detail {

// Between the fake server's terms and httplib's.

[[nodiscard]] ReceivedRequest received_from(const httplib::Request& request);
void give(const Script::HttpResponse& scripted, httplib::Response& response);

/// An HTTP server on a free port of 127.0.0.1, for connections of the gates alone. Every request goes to one handler.
class HttpServer {
 public:
  explicit HttpServer(const httplib::Server::Handler& handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Ends accept() through the duplicate: httplib's own stop() closes a descriptor that its other thread still uses.
  /// The workers end with their connections, which the gates have closed before.
  ~HttpServer();

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  void configure();
  void route(const httplib::Server::Handler& handler);
  void listen();

  std::unique_ptr<httplib::Server> server_;
  connectid::detail::Fd socket_;  ///< a duplicate of httplib's listening one
  std::latch running_{1};
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

}  // namespace connectid::inline v0::testing::detail
