#include <connectid/http/curl_transport.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "http/connection.hpp"
#include "http/connection_pool.hpp"
#include "http/libcurl.hpp"
#include "http/request_writer.hpp"
#include "http/response_reader.hpp"
#include "http/shared_tls.hpp"
#include "http/url.hpp"

namespace connectid::inline v0::http {

using detail::BootClock;
using detail::Connection;
using detail::ConnectionPool;
using detail::Moved;
using detail::ResponseReader;
using detail::SharedTls;
using detail::Url;
using detail::WrittenRequest;
namespace {

using std::chrono::milliseconds;

Failure unusable(std::string why) {
  return {.stage = Stage::prepare, .cause = Cause::configuration, .body_left = false, .text = std::move(why)};
}

/// One request and its response on one connection.
class Transfer {
 public:
  Transfer(Connection& connection, const WrittenRequest& request, ResponseReader& reader, const Limits& limits)
      : connection_(connection), request_(request), bytes_(request.bytes()), reader_(reader), limits_(limits) {}

  /// None: the response is over, as the reader has it. Else why there is no more of it.
  [[nodiscard]] std::optional<Cause> run();
  /// Once the response is over: whether the connection is as silent as it should be. None: it is.
  [[nodiscard]] std::optional<Cause> look() noexcept;

  [[nodiscard]] bool anything_left() const noexcept { return exposed_ > 0; }
  [[nodiscard]] Left left() const noexcept;
  [[nodiscard]] Stage stage() const noexcept;

 private:
  void send() noexcept;
  [[nodiscard]] std::optional<Cause> receive();

  Connection& connection_;
  const WrittenRequest& request_;
  std::string_view bytes_;
  ResponseReader& reader_;
  const Limits& limits_;
  std::size_t taken_ = 0;
  std::size_t exposed_ = 0;  // of these bytes some may have left: over TLS, more than were taken
  bool early_ = false;       // the response began before all of the request was taken
  std::optional<Cause> send_failed_;
};

std::optional<Cause> Transfer::look() noexcept {
  std::array<char, 1> byte{};
  const Moved moved = connection_.receive_surely(byte);
  switch (moved.state) {
    case Moved::State::again:
      return std::nullopt;
    case Moved::State::some:
      return Cause::stray_response;
    case Moved::State::closed:
      return Cause::closed;
    case Moved::State::failed:
      break;
  }
  return moved.cause;
}

/// More may have left while the response was coming, but what it says is not about that.
Left Transfer::left() const noexcept {
  const Left now = request_.left(taken_, exposed_);
  return early_ && now == Left::whole ? Left::part : now;
}

Stage Transfer::stage() const noexcept {
  if (reader_.begun()) return Stage::receive;
  return taken_ < bytes_.size() ? Stage::send : Stage::wait;
}

std::optional<Cause> Transfer::run() {
  if (const auto why = look()) return why;
  const std::stop_callback wake(limits_.stop, [this] { connection_.wake(); });
  for (;;) {
    if (const auto why = detail::over(limits_)) return why;
    const bool wants_more = !reader_.headers_whole();  // RFC 9112 section 9.5: who has its response hears no more
    if (wants_more) send();
    if (send_failed_ && exposed_ == 0) return send_failed_;
    // After a send that failed a response may lie there all the same, but none will come.
    if (!send_failed_) connection_.wait(wants_more && taken_ < bytes_.size(), limits_.deadline);
    const auto why = receive();
    if (why || reader_.state() != ResponseReader::State::reading) return why;
    if (send_failed_) return send_failed_;
  }
}

void Transfer::send() noexcept {
  while (taken_ < bytes_.size() && !send_failed_) {
    const Moved moved = connection_.send(bytes_.substr(taken_));
    taken_ += moved.bytes;
    exposed_ = std::max(exposed_, taken_);
    if (moved.state == Moved::State::some) continue;
    if (moved.state == Moved::State::failed) send_failed_ = moved.cause;
    if (moved.state == Moved::State::again && !connection_.plain()) {
      exposed_ = std::min(taken_ + Connection::longest_send, bytes_.size());
    }
    return;
  }
}

/// To the last byte that is there: what is left in a TLS record is not seen by poll().
std::optional<Cause> Transfer::receive() {
  std::array<char, 16 * 1024> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): zeroes nobody reads
  while (reader_.state() == ResponseReader::State::reading) {
    const Moved moved = connection_.receive(buffer);
    if (moved.state == Moved::State::again) return std::nullopt;
    if (moved.state == Moved::State::closed) return Cause::closed;
    if (moved.state == Moved::State::failed) return moved.cause;
    if (!reader_.begun() && connection_.nothing_acknowledged(taken_)) return Cause::stray_response;
    if (!reader_.begun()) early_ = taken_ < bytes_.size();
    reader_.take({buffer.data(), moved.bytes});
    ::explicit_bzero(buffer.data(), moved.bytes);  // tokens, perhaps
  }
  return std::nullopt;
}

/// Ended by the state of the connection, with nothing of the request left: another connection may do.
bool was_gone(const AttemptResult& result) {
  const auto* failure = std::get_if<Failure>(&result);
  return failure && !failure->body_left && (failure->cause == Cause::closed || failure->cause == Cause::reset);
}
bool was_noisy(const AttemptResult& result) {
  const auto* failure = std::get_if<Failure>(&result);
  return failure && !failure->body_left && failure->cause == Cause::stray_response;
}

}  // namespace

/// What a transport and the connections that are kept of it share.
struct [[gnu::visibility("hidden")]] CurlTransport::Impl : std::enable_shared_from_this<Impl> {
  explicit Impl(CurlOptions given) : options(std::move(given)) {}

  class Kept;
  class Attempt;
  struct KnownUrl {
    std::string text;
    Url url;
  };

  [[nodiscard]] AttemptResult perform(const Request& request, const Limits& limits);
  [[nodiscard]] std::shared_ptr<const KnownUrl> known(const std::string& url);

  const CurlOptions options;
  const bool proxy_is_usable = detail::proxy_fits(options.proxy.reveal());
  SharedTls tls{options};
  ConnectionPool pool{options.max_idle_connections};
  std::mutex urls_mutex;
  std::vector<std::shared_ptr<const KnownUrl>> urls;  // the last one read is the last
};

/// The connection of a refused request. It has no max_idle: a pause is kept that the server named. Without a repeat it
/// goes back among the idle ones.
class CurlTransport::Impl::Kept final : public KeptConnection {
 public:
  Kept(std::shared_ptr<Impl> owner, ConnectionPool::Idle idle, BootClock::time_point until)
      : owner_(std::move(owner)), idle_(std::move(idle)), until_(until) {}
  ~Kept() override {
    if (idle_ && BootClock::now() < std::min(until_, idle_.until)) owner_->pool.give(std::move(idle_));
  }

  [[nodiscard]] bool is_of(const Impl& owner, std::string_view origin) const {
    return owner_.get() == &owner && idle_ && idle_.connection->origin() == origin;
  }
  [[nodiscard]] bool takes_another() const noexcept { return BootClock::now() < until_; }
  [[nodiscard]] ConnectionPool::Idle take() { return std::move(idle_); }

 private:
  std::shared_ptr<Impl> owner_;
  ConnectionPool::Idle idle_;
  BootClock::time_point until_;  ///< from then on it is only looked at
};

/// One use of one connection, and what is to be said of it.
class CurlTransport::Impl::Attempt {
 public:
  /// A connection that was never idle is a new one.
  Attempt(Impl& transport, ConnectionPool::Idle idle, const Request& request, const WrittenRequest& written,
          const Limits& limits)
      : transport_(transport),
        idle_(std::move(idle)),
        reader_({.max_headers = transport.options.max_headers, .max_body = transport.options.max_body},
                request.method == "HEAD"),
        transfer_(*idle_.connection, written, reader_, limits),
        limits_(limits) {}

  [[nodiscard]] AttemptResult operator()();
  /// Whether bytes came on the connection since; it is not used.
  [[nodiscard]] std::optional<Failure> stray();

 private:
  [[nodiscard]] std::optional<Cause> flaw() const noexcept;
  [[nodiscard]] Failure failure(Cause cause) const;
  [[nodiscard]] std::string text(Cause cause) const;
  [[nodiscard]] Response response(std::optional<Cause> truncated, bool takes_another);
  [[nodiscard]] std::shared_ptr<KeptConnection> put_away(int status, bool takes_another);

  Impl& transport_;
  ConnectionPool::Idle idle_;
  BootClock::time_point began_ = BootClock::now();
  ResponseReader reader_;
  Transfer transfer_;
  const Limits& limits_;
};

/// Why a response that is over is not to be believed.
std::optional<Cause> CurlTransport::Impl::Attempt::flaw() const noexcept {
  switch (reader_.state()) {
    case ResponseReader::State::malformed:
      return Cause::malformed;
    case ResponseReader::State::too_large:
      return Cause::too_large;
    default:
      return reader_.surplus() ? std::optional(Cause::stray_response) : std::nullopt;
  }
}

AttemptResult CurlTransport::Impl::Attempt::operator()() {
  std::optional<Cause> why = transfer_.run();
  if (!why) why = flaw();
  bool takes_another = !why && reader_.keeps_alive() && transfer_.left() == Left::whole;
  if (!why) {  // over TLS what is behind a response is in a record of its own
    const auto behind = transfer_.look();
    if (behind == Cause::stray_response) why = behind;
    takes_another = takes_another && !behind;
  }
  if (!why) return response(std::nullopt, takes_another);
  if (!reader_.headers_whole() || *why == Cause::malformed || *why == Cause::stray_response) return failure(*why);
  // Where only the close can say that the body is over, its manner (FIN, RST, no close_notify) says no more.
  const bool closed = *why == Cause::closed || *why == Cause::reset;
  return response(closed && reader_.ends_with_the_connection() ? std::nullopt : why, false);
}

std::optional<Failure> CurlTransport::Impl::Attempt::stray() {
  if (transfer_.look() != Cause::stray_response) return std::nullopt;
  return failure(Cause::stray_response);
}

Response CurlTransport::Impl::Attempt::response(std::optional<Cause> truncated, bool takes_another) {
  if (!truncated && reader_.coded()) truncated = Cause::malformed;
  const int status = reader_.status();
  const bool framed = !truncated && reader_.state() == ResponseReader::State::whole;
  Response response{.status = status, .framed = framed, .left = transfer_.left()};
  if (truncated) response.truncated = failure(*truncated);
  response.connection = put_away(status, takes_another && !limits_.stop.stop_requested());
  response.headers = std::move(reader_).headers();
  if (!reader_.coded()) response.body = std::move(reader_).body();
  return response;
}

/// Among the idle ones; or kept, where a repeat is to find it as it was left.
std::shared_ptr<KeptConnection> CurlTransport::Impl::Attempt::put_away(int status, bool takes_another) {
  constexpr milliseconds on_the_way{500};                          // before the server's own time is up
  constexpr milliseconds ages = std::chrono::hours{24 * 366};      // what a clock of nanoseconds can add
  constexpr milliseconds longest_pause = std::chrono::minutes{2};  // longer: the machine slept, or nobody repeats it
  const auto timeout = reader_.keep_alive_timeout();
  const milliseconds promised = timeout ? *timeout - on_the_way : ages;
  idle_.since = BootClock::now();
  idle_.until = idle_.since + std::min(std::clamp(transport_.options.max_idle, milliseconds{0}, ages), promised);
  if (status == 401 || status == 429) {
    const auto until = takes_another ? idle_.since + std::min(promised, longest_pause) : idle_.since;
    return std::make_shared<Kept>(transport_.shared_from_this(), std::move(idle_), until);
  }
  if (takes_another) transport_.pool.give(std::move(idle_));
  return nullptr;
}

Failure CurlTransport::Impl::Attempt::failure(Cause cause) const {
  return {.stage = transfer_.stage(), .cause = cause, .body_left = transfer_.anything_left(), .text = text(cause)};
}

std::string CurlTransport::Impl::Attempt::text(Cause cause) const {
  const std::string before = transfer_.anything_left() ? " before the response was whole" : " before anything was sent";
  const std::string what = [&]() -> std::string {
    switch (cause) {
      case Cause::cancelled:
        return "cancelled";
      case Cause::timed_out:
        return "the time for this attempt was up";
      case Cause::closed:
        return "the connection was closed" + before;
      case Cause::reset:
        return "the connection was reset" + before;
      case Cause::stray_response:
        return reader_.begun() ? "more came than one response, so none of it is to be believed"
                               : "bytes came that answer nothing we sent";
      case Cause::too_large:
        return std::string("the response was given up: ") + reader_.reason() + " (at most " +
               std::to_string(transport_.options.max_headers) + " bytes of headers and " +
               std::to_string(transport_.options.max_body) + " of body)";
      case Cause::malformed:
        return std::string("the response cannot be read: ") +
               (reader_.state() == ResponseReader::State::malformed ? reader_.reason() : "it is in a content coding");
      default:
        return "the connection failed" + before;
    }
  }();
  const bool is_new = idle_.since == BootClock::time_point{};
  const auto idle = std::chrono::duration_cast<milliseconds>(began_ - idle_.since);
  const std::string used = is_new ? "new connection" : "connection reused, idle " + detail::in_milliseconds(idle);
  return what + " (" + idle_.connection->peer() + ", " + used + ")";
}

/// As it was given, mostly the same as the last: reading it takes longer than sending a request.
std::shared_ptr<const CurlTransport::Impl::KnownUrl> CurlTransport::Impl::known(const std::string& url) {
  constexpr std::size_t most = 8;
  const auto is_it = [&](const std::shared_ptr<const KnownUrl>& one) { return one->text == url; };
  {
    const std::lock_guard lock(urls_mutex);
    const auto found = std::find_if(urls.rbegin(), urls.rend(), is_it);
    if (found != urls.rend()) return *found;
  }
  auto read =
      std::make_shared<const KnownUrl>(KnownUrl{.text = url, .url = detail::parse_url(url, detail::UrlOf::request)});
  if (!read->url.error.empty()) return read;  // it may hold a password
  const std::lock_guard lock(urls_mutex);
  if (urls.size() >= most) urls.erase(urls.begin());
  urls.push_back(read);
  return read;
}

AttemptResult CurlTransport::Impl::perform(const Request& request, const Limits& limits) {
  if (const std::string& error = detail::libcurl().error; !error.empty()) return unusable(error);
  if (!proxy_is_usable) {
    return unusable("the proxy must be a URL that begins with http://, https://, socks5:// or socks5h://");
  }
  if (std::string error = detail::error_in(request); !error.empty()) return unusable(std::move(error));
  const auto target = known(request.url);
  const Url& url = target->url;
  if (!url.error.empty()) return unusable("the URL " + url.error);
  const WrittenRequest written = write_request(request, url);

  if (auto* kept = dynamic_cast<Kept*>(limits.connection.get()); kept && kept->is_of(*this, url.origin)) {
    const bool takes_another = kept->takes_another();
    Attempt repeat(*this, kept->take(), request, written, limits);
    if (!takes_another) {
      if (auto stray = repeat.stray()) return *std::move(stray);
    } else if (AttemptResult result = repeat(); !was_gone(result)) {
      return result;  // bytes that came meanwhile, too: they mean that the refusal was no response to this request
    }
  }
  while (ConnectionPool::Idle idle = pool.take(url.origin, BootClock::now())) {
    AttemptResult result = Attempt(*this, std::move(idle), request, written, limits)();
    if (!was_gone(result) && !was_noisy(result)) return result;
  }
  auto opened = Connection::open(url, options, tls, limits);
  if (auto* failure = std::get_if<Failure>(&opened)) return std::move(*failure);
  ConnectionPool::Idle fresh{.connection = std::get<std::unique_ptr<Connection>>(std::move(opened))};
  return Attempt(*this, std::move(fresh), request, written, limits)();
}

CurlTransport::CurlTransport(CurlOptions options) : impl_(std::make_shared<Impl>(std::move(options))) {}
CurlTransport::~CurlTransport() = default;

AttemptResult CurlTransport::perform(const Request& request, const Limits& limits) {
  return impl_->perform(request, limits);
}

}  // namespace connectid::inline v0::http
