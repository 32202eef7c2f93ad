#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "support/eventually.hpp"

namespace connectid::faults {

/// A port of 127.0.0.1 that nobody else is given, and that refuses connections until somebody listens on it.
class ReservedPort {
 public:
  ReservedPort() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const int on = 1;  // with it on both sides, a second socket may be bound to the port to listen
    EXPECT_EQ(setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;
  ~ReservedPort() { close(fd_); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  const int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::uint16_t port_ = 0;
};

/// A listening socket that nobody serves.
class Listener {
 public:
  explicit Listener(int backlog) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    fds_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{.tv_sec = 30, .tv_usec = 0};  // of accept, and of recv on what it gives
    EXPECT_EQ(setsockopt(fds_[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    EXPECT_EQ(bind(fds_[0], reinterpret_cast<sockaddr*>(&address_), size), 0);
    EXPECT_EQ(listen(fds_[0], backlog), 0);
    EXPECT_EQ(getsockname(fds_[0], reinterpret_cast<sockaddr*>(&address_), &size), 0);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    for (const int fd : fds_) close(fd);
  }
  [[nodiscard]] std::uint16_t port() const { return ntohs(address_.sin_port); }

  /// Fills the queue, so that a further SYN is dropped and connecting hangs.
  void fill() {
    for (int i = 0; i < 4; ++i) {
      fds_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      static_cast<void>(connect(fds_.back(), reinterpret_cast<sockaddr*>(&address_), sizeof address_));
    }
    own_ = knocking();
  }
  /// Waits until somebody in this process, beside our own fillers, is trying to connect.
  void wait_for_a_knock() const {
    EXPECT_TRUE(eventually([this] { return knocking() > own_; }));
  }
  /// Waits until a client is connected and has said its first byte.
  void wait_for_a_byte() {
    fds_.push_back(accept4(fds_[0], nullptr, nullptr, SOCK_CLOEXEC));
    char byte = 0;
    EXPECT_EQ(recv(fds_.back(), &byte, 1, 0), 1);
  }

  /// Lets one client in, reads until a blank line, says this, and returns what it read.
  [[nodiscard]] std::string hear_and_say(const std::string& response) {
    fds_.push_back(accept4(fds_[0], nullptr, nullptr, SOCK_CLOEXEC));
    std::string heard;
    char byte = 0;
    while (!heard.ends_with("\r\n\r\n") && recv(fds_.back(), &byte, 1, 0) == 1) heard += byte;
    EXPECT_EQ(send(fds_.back(), response.data(), response.size(), MSG_NOSIGNAL), static_cast<ssize_t>(response.size()));
    return heard;
  }

 private:
  /// Sockets of this process whose connecting hangs, to whatever port. (/proc/net/tcp may leave a line out, or show it
  /// twice, while sockets come and go.)
  [[nodiscard]] static int knocking() {
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      tcp_info info{};
      socklen_t size = sizeof info;
      const int fd = std::stoi(entry.path().filename());
      if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == TCP_SYN_SENT) ++found;
    }
    return found;
  }
  std::vector<int> fds_;
  sockaddr_in address_{};
  int own_ = 0;
};

}  // namespace connectid::faults
