#include "loopback_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <system_error>

#include <connectid/testing/certificate.hpp>

#include "testing/socket.hpp"

namespace bench {
namespace {

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

/// How many bytes the request at the front of `text` has; 0 while it is not whole.
std::size_t size_of_request(std::string_view text) {
  static constexpr std::string_view blank_line = "\r\n\r\n";
  static constexpr std::string_view length_field = "\r\nContent-Length: ";
  const std::size_t blank = text.find(blank_line);
  if (blank == std::string_view::npos) return 0;
  std::size_t body = 0;
  if (const std::size_t at = text.find(length_field); at < blank) {
    std::from_chars(text.data() + at + length_field.size(), text.data() + blank, body);
  }
  const std::size_t size = blank + blank_line.size() + body;
  return size <= text.size() ? size : 0;
}

}  // namespace

void LoopbackServer::FreeContext::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }

LoopbackServer::LoopbackServer(std::string_view response, Wire wire)
    : response_(response), listener_(checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
  if (wire == Wire::tls) {
    const auto certificate = connectid::testing::make_certificate();
    authority_ = certificate.authority;
    tls_.reset(connectid::testing::detail::server_context(certificate, {}).release());
    SSL_CTX_set_min_proto_version(tls_.get(), TLS1_3_VERSION);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  checked(bind(listener_, any, size), "bind");
  checked(listen(listener_, SOMAXCONN), "listen");
  checked(getsockname(listener_, any, &size), "getsockname");
  port_ = ntohs(address.sin_port);
  threads_.emplace_back([this] { accept_all(); });
}

LoopbackServer::~LoopbackServer() {
  shutdown(listener_, SHUT_RDWR);
  threads_.front().join();  // from here on no connection is added
  for (const int connection : connections_) shutdown(connection, SHUT_RDWR);
  threads_.clear();
  for (const int connection : connections_) close(connection);
  close(listener_);
}

std::string LoopbackServer::last_request() const {
  const std::lock_guard lock(mutex_);
  return last_request_;
}

std::size_t LoopbackServer::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

void LoopbackServer::accept_all() {
  for (int connection = 0; (connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
    const int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    connections_.push_back(connection);
    threads_.emplace_back([this, connection] { serve(connection); });
  }
}

void LoopbackServer::serve(int connection) {
  if (!tls_) {
    return serve_all([&](void* bytes, std::size_t size) { return recv(connection, bytes, size, 0); },
                     [&] { return send(connection, response_.data(), response_.size(), MSG_NOSIGNAL); });
  }
  sigset_t no_reader;  // OpenSSL writes without MSG_NOSIGNAL
  sigemptyset(&no_reader);
  sigaddset(&no_reader, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &no_reader, nullptr);
  const connectid::testing::detail::Ssl tls(SSL_new(tls_.get()));
  if (!tls || SSL_set_fd(tls.get(), connection) != 1 || SSL_accept(tls.get()) != 1) return;
  serve_all([&](void* bytes, std::size_t size) { return SSL_read(tls.get(), bytes, static_cast<int>(size)); },
            [&] { return SSL_write(tls.get(), response_.data(), static_cast<int>(response_.size())); });
}

void LoopbackServer::serve_all(const auto& receive, const auto& send) {
  std::string received;
  std::array<char, 4096> piece{};
  for (ssize_t count = 0; (count = receive(piece.data(), piece.size())) > 0;) {
    received.append(piece.data(), static_cast<std::size_t>(count));
    const std::size_t size = size_of_request(received);
    if (size == 0) continue;
    {
      const std::lock_guard lock(mutex_);
      last_request_.assign(received, 0, size);
    }
    received.erase(0, size);
    if (send() <= 0) return;
  }
}

}  // namespace bench
