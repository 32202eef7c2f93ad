#include "http/connection.hpp"

#include <linux/sockios.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "base/uninterrupted.hpp"
#include "http/libcurl.hpp"

namespace connectid::inline v0::detail {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// For poll(), rounded up: a deadline that has not passed is no reason to come back at once.
int milliseconds_until(steady_clock::time_point deadline) {
  const auto left = std::min<steady_clock::duration>(deadline - steady_clock::now(), std::chrono::hours{1});
  return static_cast<int>(std::max(std::chrono::ceil<milliseconds>(left), milliseconds{0}).count());
}

/// A program that this process becomes or starts must not keep our connections open.
curl_socket_t open_socket(void*, curlsocktype, curl_sockaddr* address) noexcept {
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// What a proxy says to CONNECT is nobody's; without this it would go to standard output.
std::size_t drop(char*, std::size_t size, std::size_t count, void*) noexcept { return size * count; }

template <class T>
T info(CURL* easy, CURLINFO which) {
  T value{};
  curl_easy_getinfo(easy, which, &value);
  return value;
}

/// `api.example at 192.0.2.1 port 443`. Through a proxy the address is the proxy's.
std::string peer_of(CURL* easy, const Url& url) {
  const char* address = info<char*>(easy, CURLINFO_PRIMARY_IP);
  if (!address || !*address) return url.authority;
  return url.authority + " at " + address + " port " + std::to_string(info<long>(easy, CURLINFO_PRIMARY_PORT));
}

Cause cause_of(CURLcode code, long connect_status) {
  if (connect_status == 403 || connect_status == 407) return Cause::proxy_denied;
  if (connect_status >= 300) return Cause::proxy_refused;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Cause::unresolved;
    case CURLE_COULDNT_CONNECT:
      return Cause::unreachable;
    case CURLE_OPERATION_TIMEDOUT:
      return Cause::timed_out;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return Cause::certificate;
    case CURLE_SSL_CONNECT_ERROR:
      return Cause::tls;
    case CURLE_PROXY:
      return Cause::proxy_refused;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CRL_BADFILE:
      return Cause::configuration;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
      return Cause::closed;
    default:
      return Cause::other;
  }
}

/// libcurl calls back for a proxy's handshake as well as for the server's, and does not say which it is. It looks at
/// the environment for each connection.
bool may_speak_tls_to_a_proxy(const http::CurlOptions& options) {
  const auto speaks_tls = [](std::string_view proxy) {
    return equal_ignoring_case(proxy.substr(0, proxy.find(':')), "https");
  };
  if (!options.proxy.empty()) return speaks_tls(options.proxy.reveal());
  return std::ranges::any_of(std::array{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}, [&](const char* name) {
    const char* proxy = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): libcurl reads it, too
    return proxy && speaks_tls(proxy);
  });
}

/// libcurl's own words only where they cannot hold a proxy's password: it quotes a proxy URL that it cannot use.
bool quotable(CURLcode code) {
  return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_PEER_FAILED_VERIFICATION ||
         code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM;
}

/// From 8.20 on threads that look names up are the multi handle's, and its end joins them unless it is told not to. By
/// number: this may be compiled with older headers than the library that the process loads, and an older library, which
/// does not know the option, needs none.
bool leave_hanging_look_ups(CURLM* multi) {
  constexpr auto quick_exit = static_cast<CURLMoption>(21);  // CURLMOPT_QUICK_EXIT
  const CURLMcode code = curl_multi_setopt(multi, quick_exit, 1L);
  return code == CURLM_OK || code == CURLM_UNKNOWN_OPTION;
}

Moved moved(CURLcode code, std::size_t bytes, int error) noexcept {
  if (code == CURLE_AGAIN) return {.state = Moved::State::again};
  if (code == CURLE_OK) return {.state = bytes > 0 ? Moved::State::some : Moved::State::closed, .bytes = bytes};
  const bool reset = error == ECONNRESET || error == EPIPE;
  return {.state = Moved::State::failed, .cause = reset ? Cause::reset : Cause::closed};
}

}  // namespace

std::optional<Cause> over(const http::Limits& limits) noexcept {
  if (limits.stop.stop_requested()) return Cause::cancelled;
  if (steady_clock::now() >= limits.deadline) return Cause::timed_out;
  return std::nullopt;
}

/// Everything that is needed until the connection stands: what libcurl's callbacks see.
class Connection::Dial {
 public:
  Dial(Connection& connection, const Url& url, const http::CurlOptions& options, SharedTls& tls,
       const http::Limits& limits)
      : connection_(connection), url_(url), options_(options), tls_(tls), limits_(limits) {}

  /// None: it stands.
  [[nodiscard]] std::optional<http::Failure> operator()();

 private:
  static CURLcode on_handshake(CURL*, void* context, void* self) noexcept;
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept;

  [[nodiscard]] CURL* easy() const noexcept { return connection_.easy_.get(); }
  template <class Value>
  void set(CURLoption option, Value value);
  void set_up();
  void set_up_tls();
  void set_up_proxy();
  [[nodiscard]] std::optional<http::Failure> connect();
  [[nodiscard]] std::optional<CURLcode> result() const noexcept;
  void forget_me() noexcept;
  [[nodiscard]] Stage stage() const;
  [[nodiscard]] std::string text(CURLcode code, Cause cause) const;
  [[nodiscard]] http::Failure failure(CURLcode code, Cause cause) const;

  Connection& connection_;
  const Url& url_;
  const http::CurlOptions& options_;
  SharedTls& tls_;
  const http::Limits& limits_;
  CURLcode option_error_ = CURLE_OK;
  std::array<char, CURL_ERROR_SIZE> error_{};
  bool handshaking_ = false;
  bool shares_authorities_ = false;
};

/// The first error of any option is kept: an option that could not be set must not be missed in silence.
template <class Value>
void Connection::Dial::set(CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(easy(), option, value); option_error_ == CURLE_OK) option_error_ = code;
}

void Connection::Dial::set_up() {
  set(CURLOPT_URL, url_.origin.c_str());
  set(CURLOPT_CONNECT_ONLY, 1L);
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);  // what TLS agrees on
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_WRITEFUNCTION, &drop);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_NOSIGNAL, 1L);  // before the clean-up, too: without it libcurl before 8.1 changes SIGPIPE
  set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(CURLOPT_QUICK_EXIT, 1L);  // else a hanging name look-up is joined when the connection is given up
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  // Never CURLOPT_TIMEOUT: before 8.17 it goes on counting once the connection stands.
  const auto longest = std::clamp<milliseconds::rep>(limits_.connect_timeout.count(), 1, INT_MAX);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(longest));
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &Dial::on_progress);
  set(CURLOPT_XFERINFODATA, static_cast<void*>(this));
  set_up_tls();
  set_up_proxy();
}

void Connection::Dial::set_up_tls() {
  const auto set_text = [&](CURLoption option, const std::string& value) {
    if (!value.empty()) set(option, value.c_str());
  };
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set_text(CURLOPT_SSLCERT, options_.client_certificate);
  set_text(CURLOPT_SSLKEY, options_.client_key);
  set_text(CURLOPT_KEYPASSWD, options_.client_key_password.reveal());
  if (url_.plain) return;
  if (CURLSH* sessions = tls_.sessions()) set(CURLOPT_SHARE, sessions);
  // Not every TLS library has it; then libcurl reads the authorities, and the stage is told by times.
  const bool calls_back = curl_easy_setopt(easy(), CURLOPT_SSL_CTX_FUNCTION, &Dial::on_handshake) == CURLE_OK &&
                          curl_easy_setopt(easy(), CURLOPT_SSL_CTX_DATA, static_cast<void*>(this)) == CURLE_OK;
  shares_authorities_ = calls_back && !may_speak_tls_to_a_proxy(options_) && tls_.authorities();
  if (shares_authorities_ || !options_.ca_file.empty() || !options_.ca_pem.empty()) {
    // Else the system's directory would be trusted, too. In 8.21 a null pointer stands for that very directory.
    set(CURLOPT_CAPATH, "/dev/null");
  }
  if (shares_authorities_) {
    set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
  } else if (options_.ca_pem.empty()) {
    set_text(CURLOPT_CAINFO, options_.ca_file);
  } else {
    curl_blob pem{
        .data = const_cast<char*>(options_.ca_pem.data()), .len = options_.ca_pem.size(), .flags = CURL_BLOB_COPY};
    // GnuTLS takes files alone. Where that fails, too, an empty name does.
    const bool taken = curl_easy_setopt(easy(), CURLOPT_CAINFO_BLOB, &pem) == CURLE_OK;
    if (!taken) set(CURLOPT_CAINFO, tls_.authorities_file().c_str());
  }
}

void Connection::Dial::set_up_proxy() {
  if (url_.plain) {
    set(CURLOPT_NOPROXY, "*");  // http_proxy would carry the bearer away in the clear
  } else if (!options_.proxy.empty()) {
    set(CURLOPT_PROXY, options_.proxy.reveal().c_str());
    set(CURLOPT_NOPROXY, "");  // given in so many words: no_proxy is not asked
  }
}

/// Called when TCP stands and TLS begins: the one sign of it that libcurl gives.
CURLcode Connection::Dial::on_handshake(CURL*, void* context, void* self) noexcept {
  auto& dial = *static_cast<Dial*>(self);
  dial.handshaking_ = true;
  if (!libcurl().has_our_openssl) return CURLE_OK;
  auto* const tls = static_cast<SSL_CTX*>(context);
  SSL_CTX_clear_mode(tls, SSL_MODE_AUTO_RETRY);       // else a flood of KeyUpdates is read to its end within one recv
  SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION);  // else a send waits for bytes to read
  if (!dial.shares_authorities_) return CURLE_OK;
  // Not as the context's own store: into that one libcurl before 8.3 loads what it trusts after this call, without a
  // lock, and other threads use ours.
  return SSL_CTX_set1_verify_cert_store(tls, dial.tls_.authorities()) == 1 ? CURLE_OK : CURLE_SSL_CONNECT_ERROR;
}

/// libcurl reads a proxy's response to CONNECT to its end before it comes back to us, be it endless; but it asks here.
int Connection::Dial::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  return over(static_cast<Dial*>(self)->limits_) ? 1 : 0;
}

std::optional<CURLcode> Connection::Dial::result() const noexcept {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(connection_.multi_.get(), &left)) {
    if (message->msg == CURLMSG_DONE) return message->data.result;
  }
  return std::nullopt;
}

std::optional<http::Failure> Connection::Dial::connect() {
  CURLM* multi = connection_.multi_.get();
  if (curl_multi_add_handle(multi, easy()) != CURLM_OK) return failure(CURLE_FAILED_INIT, Cause::configuration);
  const std::stop_callback wake(limits_.stop, [this] { connection_.wake(); });
  for (;;) {
    if (const auto why = over(limits_)) return failure(CURLE_ABORTED_BY_CALLBACK, *why);
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) return failure(CURLE_FAILED_INIT, Cause::other);
    const auto code = result();
    if (code == CURLE_OK) return std::nullopt;
    if (code) {
      const auto why = over(limits_);
      return failure(*code, why ? *why : cause_of(*code, info<long>(easy(), CURLINFO_HTTP_CONNECTCODE)));
    }
    curl_waitfd woken{.fd = connection_.wake_.get(), .events = CURL_WAIT_POLLIN, .revents = 0};
    curl_multi_poll(multi, &woken, 1, milliseconds_until(limits_.deadline), nullptr);
  }
}

std::optional<http::Failure> Connection::Dial::operator()() {
  set_up();
  if (option_error_ != CURLE_OK) {
    return http::Failure{.stage = Stage::prepare,
                         .cause = Cause::configuration,
                         .body_left = false,
                         .text = std::string("libcurl refused an option: ") + curl_easy_strerror(option_error_)};
  }
  auto why = connect();
  if (why) curl_multi_remove_handle(connection_.multi_.get(), easy());
  forget_me();
  if (why) return why;
  connection_.peer_ = peer_of(easy(), url_);
  connection_.socket_ = info<curl_socket_t>(easy(), CURLINFO_ACTIVESOCKET);
  if (connection_.socket_ == CURL_SOCKET_BAD) return failure(CURLE_COULDNT_CONNECT, Cause::closed);
  return std::nullopt;
}

/// What the handle keeps of this object, which ends now.
void Connection::Dial::forget_me() noexcept {
  curl_easy_setopt(easy(), CURLOPT_NOPROGRESS, 1L);
  curl_easy_setopt(easy(), CURLOPT_XFERINFOFUNCTION, static_cast<curl_xferinfo_callback>(nullptr));
  curl_easy_setopt(easy(), CURLOPT_SSL_CTX_FUNCTION, static_cast<curl_ssl_ctx_callback>(nullptr));
  curl_easy_setopt(easy(), CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
}

Stage Connection::Dial::stage() const {
  if (info<curl_off_t>(easy(), CURLINFO_NAMELOOKUP_TIME_T) == 0) return Stage::resolve;
  return handshaking_ ? Stage::handshake : Stage::connect;
}

std::string Connection::Dial::text(CURLcode code, Cause cause) const {
  switch (cause) {
    case Cause::cancelled:
      return "cancelled";
    case Cause::timed_out:
      if (code != CURLE_OPERATION_TIMEDOUT) return "the time for this attempt was up";
      return "no connection to " + peer_of(easy(), url_) + " within " +
             std::to_string(limits_.connect_timeout.count()) + " ms";
    case Cause::proxy_refused:
    case Cause::proxy_denied: {
      const long status = info<long>(easy(), CURLINFO_HTTP_CONNECTCODE);
      return "the proxy refused to connect to " + url_.authority +
             (status ? ", with HTTP " + std::to_string(status) : std::string());
    }
    default:
      break;
  }
  const std::string own = quotable(code) ? error_.data() : "";
  const long system = info<long>(easy(), CURLINFO_OS_ERRNO);
  std::string why = own.empty() ? curl_easy_strerror(code) : own;
  if (own.empty() && system != 0) why += ": " + std::generic_category().message(static_cast<int>(system));
  return "no connection to " + peer_of(easy(), url_) + ": " + printable(why, 300);
}

http::Failure Connection::Dial::failure(CURLcode code, Cause cause) const {
  return {.stage = stage(), .cause = cause, .body_left = false, .text = text(code, cause)};
}

Connection::Connection(Key, const Url& url)
    : origin_(url.origin),
      plain_(url.plain),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      multi_(curl_multi_init()),
      easy_(curl_easy_init()) {}

Connection::~Connection() {
  if (multi_ && easy_) curl_multi_remove_handle(multi_.get(), easy_.get());
}

std::variant<std::unique_ptr<Connection>, http::Failure> Connection::open(const Url& url,
                                                                          const http::CurlOptions& options,
                                                                          SharedTls& tls, const http::Limits& limits) {
  auto connection = std::make_unique<Connection>(Key{}, url);
  if (!connection->multi_ || !connection->easy_ || !connection->wake_ ||
      !leave_hanging_look_ups(connection->multi_.get())) {
    return http::Failure{.stage = Stage::prepare,
                         .cause = Cause::other,
                         .body_left = false,
                         .text = "no memory or no file descriptor for another connection"};
  }
  if (auto why = Dial(*connection, url, options, tls, limits)()) return *std::move(why);
  return connection;
}

Moved Connection::send(std::string_view bytes) noexcept {
  std::size_t taken = 0;
  errno = 0;
  const CURLcode code = curl_easy_send(easy_.get(), bytes.data(), std::min(bytes.size(), longest_send), &taken);
  if (code == CURLE_OK && taken == 0) return {.state = Moved::State::again};
  return moved(code, taken, errno);
}

Moved Connection::receive(std::span<char> into) noexcept {
  std::size_t came = 0;
  errno = 0;
  const CURLcode code = curl_easy_recv(easy_.get(), into.data(), into.size(), &came);
  return moved(code, came, errno);
}

Moved Connection::receive_surely(std::span<char> into) noexcept {
  Moved came = receive(into);
  // GnuTLS says `again` for a session ticket although more lies behind it. A peer may send tickets for ever.
  for (int more = 0; more < 8 && !plain_ && came.state == Moved::State::again; ++more) {
    pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, 0) <= 0) break;
    came = receive(into);
  }
  return came;
}

void Connection::wait(bool to_send, steady_clock::time_point deadline) const noexcept {
  const auto wanted = static_cast<short>(to_send ? POLLIN | POLLOUT : POLLIN);
  std::array<pollfd, 2> ready{
      {{.fd = socket_, .events = wanted, .revents = 0}, {.fd = wake_.get(), .events = POLLIN, .revents = 0}}};
  ::poll(ready.data(), ready.size(), milliseconds_until(deadline));
}

void Connection::wake() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = uninterrupted([&] { return ::write(wake_.get(), &one, sizeof one); });
}

bool Connection::nothing_acknowledged(std::size_t sent) const noexcept {
  int unacknowledged = 0;
  return plain_ && ::ioctl(socket_, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged >= 0 &&
         static_cast<std::size_t>(unacknowledged) >= sent;
}

}  // namespace connectid::inline v0::detail
