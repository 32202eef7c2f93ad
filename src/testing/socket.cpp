#include "testing/socket.hpp"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace connectid::inline v0::testing::detail {
namespace {

using Chunk = std::array<char, 32'768>;

void system_must(bool good, const char* what) {
  if (!good) throw std::system_error(errno, std::generic_category(), std::string("connectid::testing: ") + what);
}

bool would_block() noexcept { return errno == EAGAIN || errno == EINTR; }

Fd tcp_socket() noexcept { return Fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

sockaddr_in loopback(std::uint16_t port) noexcept {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

const sockaddr* as_sockaddr(const sockaddr_in& address) noexcept { return reinterpret_cast<const sockaddr*>(&address); }

void set_flag(int fd, int level, int option) noexcept {
  const int on = 1;
  ::setsockopt(fd, level, option, &on, sizeof on);
}

/// With SO_REUSEADDR two sockets may share a port as long as neither listens yet.
Fd bound_to(std::uint16_t port) {
  Fd fd = tcp_socket();
  system_must(static_cast<bool>(fd), "making a socket");
  set_flag(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  const sockaddr_in address = loopback(port);
  system_must(::bind(fd.get(), as_sockaddr(address), sizeof address) == 0, "binding to 127.0.0.1");
  return fd;
}

Bio reader_of(const std::string& pem) {
  return openssl_own<Bio>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), "reading PEM");
}

void use_chain(SSL_CTX* context, const std::string& pem) {
  const Bio from = reader_of(pem);
  const auto next = [&] { return X509Certificate(PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr)); };
  const X509Certificate own = next();
  openssl_must(own && SSL_CTX_use_certificate(context, own.get()) == 1, "using the certificate");
  while (const X509Certificate link = next()) {
    openssl_must(SSL_CTX_add1_chain_cert(context, link.get()) == 1, "using the chain");
  }
  ERR_clear_error();  // the end of the text counts as an error
}

void use_key(SSL_CTX* context, const std::string& pem) {
  const Bio from = reader_of(pem);
  const auto key = openssl_own<Key>(PEM_read_bio_PrivateKey(from.get(), nullptr, nullptr, nullptr), "reading the key");
  openssl_must(SSL_CTX_use_PrivateKey(context, key.get()) == 1, "using the key");
}

/// Lets nobody in who shows no certificate of this authority.
void ask_for_client_certificates(SSL_CTX* context, const std::string& authority) {
  const Bio from = reader_of(authority);
  const auto certificate = openssl_own<X509Certificate>(PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr),
                                                        "reading the client authority");
  openssl_must(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) == 1,
               "trusting the client authority");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

}  // namespace

Wake::Wake() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  system_must(static_cast<bool>(event_), "making an eventfd");
}

void Wake::signal() const noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(event_.get(), &one, sizeof one));  // full: it is signalled already
}

void Wake::clear() const noexcept {
  std::uint64_t count = 0;
  static_cast<void>(!::read(event_.get(), &count, sizeof count));  // empty: it is clear already
}

Listener::Listener(std::uint16_t port)
    : socket_(bound_to(port)), reservation_(bound_to(local_port(socket_.get()))), port_(local_port(socket_.get())) {
  system_must(::listen(socket_.get(), 512) == 0, "listening");
}

Fd Listener::accept() const noexcept {
  Fd fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd) set_flag(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  return fd;
}

void Listener::stop() noexcept {
  stopped_ = true;
  ::shutdown(socket_.get(), SHUT_RDWR);
}

Fd connect_to(std::uint16_t port) noexcept {
  Fd fd = tcp_socket();
  if (!fd) return fd;
  set_flag(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  const sockaddr_in address = loopback(port);
  const bool begun = ::connect(fd.get(), as_sockaddr(address), sizeof address) == 0 || errno == EINPROGRESS;
  return begun ? std::move(fd) : Fd();
}

std::uint16_t local_port(int fd) noexcept {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

SslContext server_context(const Certificate& certificate, const std::string& client_authority) {
  ERR_clear_error();
  auto context = openssl_own<SslContext>(SSL_CTX_new(TLS_server_method()), "making a TLS context");
  openssl_must(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1, "asking for TLS 1.2");
  // Nothing is said after the handshake that no request asked for: an idle connection is silent.
  openssl_must(SSL_CTX_set_num_tickets(context.get(), 0) == 1, "turning tickets off");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  use_chain(context.get(), certificate.chain);
  use_key(context.get(), certificate.key);
  if (!client_authority.empty()) ask_for_client_certificates(context.get(), client_authority);
  return context;
}

Stream::Stream(Fd fd, SSL_CTX* tls) : fd_(std::move(fd)) {
  if (tls == nullptr) return;
  ssl_ = openssl_own<Ssl>(SSL_new(tls), "making a TLS connection");
  auto in = openssl_own<Bio>(BIO_new(BIO_s_mem()), "making a buffer");
  auto out = openssl_own<Bio>(BIO_new(BIO_s_mem()), "making a buffer");
  BIO_set_mem_eof_return(in.get(), -1);  // an empty buffer means "not yet", not "closed"
  SSL_set_bio(ssl_.get(), in.release(), out.release());
  SSL_set_accept_state(ssl_.get());
}

bool Stream::ready() const noexcept { return fd_ && (!ssl_ || SSL_is_init_finished(ssl_.get()) == 1); }

bool Stream::read(std::string& to) {
  Chunk chunk;
  const ssize_t count = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
  if (count <= 0) return count < 0 && would_block();
  const std::string_view bytes(chunk.data(), static_cast<std::size_t>(count));
  if (ssl_) return decrypt(bytes, to);
  to.append(bytes);
  return true;
}

bool Stream::drop() noexcept {
  Chunk chunk;
  const ssize_t count = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
  return count > 0 || (count < 0 && would_block());
}

bool Stream::decrypt(std::string_view bytes, std::string& to) {
  ERR_clear_error();
  BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
  Chunk plain;
  int count = 0;
  while ((count = SSL_read(ssl_.get(), plain.data(), static_cast<int>(plain.size()))) > 0) {
    to.append(plain.data(), static_cast<std::size_t>(count));
  }
  const bool open = SSL_get_error(ssl_.get(), count) == SSL_ERROR_WANT_READ;
  collect_encrypted();
  return flush() && open;
}

void Stream::write(std::string_view bytes) {
  if (!ssl_) return out_.append(bytes);
  ERR_clear_error();
  SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));  // a memory buffer takes all
  collect_encrypted();
}

void Stream::collect_encrypted() {
  BIO* const from = SSL_get_wbio(ssl_.get());
  char* bytes = nullptr;
  const long count = BIO_get_mem_data(from, &bytes);
  out_.append({bytes, static_cast<std::size_t>(count)});
  BIO_reset(from);
}

bool Stream::flush() noexcept {
  while (!out_.empty()) {
    const ssize_t count = ::send(fd_.get(), out_.view().data(), out_.size(), MSG_NOSIGNAL);
    if (count < 0) return would_block();
    out_.drop(static_cast<std::size_t>(count));
  }
  return true;
}

bool Stream::left_the_kernel() const noexcept {
  int held_back = 0;
  return ::ioctl(fd_.get(), SIOCOUTQNSD, &held_back) != 0 || held_back == 0;
}

bool Stream::write_aside(FaultGate::Aside what) {
  if (!ssl_ || SSL_version(ssl_.get()) != TLS1_3_VERSION) return false;
  ERR_clear_error();
  const bool agreed = what == FaultGate::Aside::key_update ? SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) == 1
                                                           : SSL_new_session_ticket(ssl_.get()) == 1;
  if (!agreed || SSL_do_handshake(ssl_.get()) != 1) return false;
  collect_encrypted();
  return unsent();
}

void Stream::say_the_end() {
  if (!ssl_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  collect_encrypted();
  static_cast<void>(flush());
}

void Stream::send_fin() noexcept { ::shutdown(fd_.get(), SHUT_WR); }

void Stream::reset() noexcept {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void Stream::close() noexcept { *this = Stream(); }

}  // namespace connectid::inline v0::testing::detail
