#include <connectid/http/curl_transport.hpp>

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "http/answer_reader.hpp"
#include "http/headers.hpp"
#include "http/url.hpp"
#include "text.hpp"

namespace connectid::inline v0::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct FreeEasy {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};

/// One transfer at a time, and the connection it left open. A multi handle even for a blocking call: only its poll can
/// be woken at once by another thread.
struct Handle {
  std::unique_ptr<CURLM, FreeMulti> multi;
  std::unique_ptr<CURL, FreeEasy> easy;
  steady_clock::time_point last_used;
  std::string last_url = {};  // as it was given; mostly the next request goes there, too
  Url url = parse_url({});    // what was read from it
};

/// From 8.20 on threads that look names up are the multi handle's, and its end joins them unless it is told not to. By
/// number: this may be compiled with older headers than the library that the process loads, and an older library, which
/// does not know the option, needs none.
bool leave_hanging_look_ups(CURLM* multi) {
  constexpr auto quick_exit = static_cast<CURLMoption>(21);  // CURLMOPT_QUICK_EXIT
  const CURLMcode code = curl_multi_setopt(multi, quick_exit, 1L);
  return code == CURLM_OK || code == CURLM_UNKNOWN_OPTION;
}

std::optional<Handle> make_handle() {
  Handle handle{std::unique_ptr<CURLM, FreeMulti>(curl_multi_init()), std::unique_ptr<CURL, FreeEasy>(curl_easy_init()),
                steady_clock::now()};
  if (!handle.multi || !handle.easy) return std::nullopt;
  // One connection: an older one beside it would be found first.
  if (curl_multi_setopt(handle.multi.get(), CURLMOPT_MAXCONNECTS, 1L) != CURLM_OK) return std::nullopt;
  if (!leave_hanging_look_ups(handle.multi.get())) return std::nullopt;
  return handle;
}

/// Why libcurl cannot be used; empty: it can. Initialises it once in the life of the process. What is kept is never
/// destroyed: a client may be used until the last static is.
std::string curl_problem() {
  static constexpr unsigned oldest = 0x075700;  // 7.87: QUICK_EXIT
  static std::once_flag once;
  static bool initialised = false;
  static const curl_version_info_data* version = nullptr;
  std::call_once(once, [] {
    initialised = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    version = curl_version_info(CURLVERSION_NOW);
  });
  if (!initialised) return "libcurl could not be initialised";
  if (version->version_num < oldest) {
    return std::string("libcurl 7.87 or newer is needed, and this process runs with ") + version->version;
  }
  if (!(version->features & CURL_VERSION_SSL)) return "this libcurl was built without TLS";
  return {};
}

/// A program that this process becomes or starts must not keep our connections open.
curl_socket_t open_socket(void*, curlsocktype, curl_sockaddr* address) noexcept {
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// Before 8.1 libcurl keeps a pointer into the last answer, which it has freed, in the easy handle, and writes there if
/// the next answer's first field is a folded line (its issue 11101): what any server can send. With a new easy handle
/// there is no such pointer; the connection is the multi handle's and stays.
bool easy_handles_may_be_used_again() {
  static const bool mended = curl_version_info(CURLVERSION_NOW)->version_num >= 0x080100;
  return mended;
}

/// RFC 9110 section 8.6: a request of these says how long its content is even where it has none. Without, some servers
/// wait for it.
bool expects_content(std::string_view method) { return method == "POST" || method == "PUT" || method == "PATCH"; }

/// Everything that one transfer knows about itself: the state behind libcurl's callbacks, which run in the calling
/// thread.
class Attempt {
 public:
  Attempt(const Request& request, const CurlOptions& options, const Limits& limits)
      : request_(request), options_(options), limits_(limits), reader_(options.max_headers, options.max_body) {}

  [[nodiscard]] CURLcode set_up(CURL* easy, const Url& url, bool idle_for_too_long);
  /// Once: it takes the answer out of the attempt.
  [[nodiscard]] Reply reply(CURL* easy, CURLcode code);

  /// False once the call is cancelled or late.
  [[nodiscard]] bool may_go_on() noexcept;

 private:
  static CURLcode on_handshake(CURL* easy, void* context, void* self) noexcept;
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept;
  static int on_connected(void* self, char*, char*, int, int) noexcept;
  static std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_header(char* line, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept;

  [[nodiscard]] bool has_body() const noexcept { return !request_.body.empty(); }
  [[nodiscard]] curl_slist* make_header_list();
  [[nodiscard]] Stage stage(CURL* easy) const;
  [[nodiscard]] Cause cause(CURL* easy, CURLcode code) const;
  [[nodiscard]] std::string text(CURLcode code, Cause cause) const;
  [[nodiscard]] Failure failure(CURL* easy, CURLcode code, Cause cause) const;
  [[nodiscard]] Answer answer(CURL* easy, std::optional<Failure> failure);

  const Request& request_;
  const CurlOptions& options_;
  const Limits& limits_;
  std::string header_lines_;  // each ends with a null character
  std::vector<curl_slist> header_list_;
  std::array<char, CURL_ERROR_SIZE> error_{};

  bool handshaking_ = false;
  bool connected_ = false;
  bool resend_refused_ = false;
  bool body_left_ = false;  // THE guard: once set, nothing more of this request may leave
  std::size_t sent_ = 0;

  std::optional<Cause> refused_;  // why a callback of ours ended the transfer
  AnswerReader reader_;
};

// ---- the callbacks

bool Attempt::may_go_on() noexcept {
  if (limits_.stop.stop_requested()) {
    refused_ = Cause::cancelled;
  } else if (steady_clock::now() >= limits_.deadline) {
    refused_ = Cause::timed_out;
  }
  return !refused_;
}

/// Called when TCP stands and TLS begins: the one sign of it that libcurl gives.
CURLcode Attempt::on_handshake(CURL*, void*, void* self) noexcept {
  static_cast<Attempt*>(self)->handshaking_ = true;
  return CURLE_OK;
}

/// libcurl reads a proxy's answer to CONNECT to its end before it comes back to us, be it endless; but it asks here.
int Attempt::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  return static_cast<Attempt*>(self)->may_go_on() ? 0 : 1;
}

/// Called each time a connection, new or used before, is ready to take the request; libcurl replaces a connection that
/// turns out dead. Before the body left that is welcome; afterwards it would be the second body at the server.
int Attempt::on_connected(void* self, char*, char*, int, int) noexcept {
  auto& attempt = *static_cast<Attempt*>(self);
  if (attempt.body_left_) {
    attempt.resend_refused_ = true;
    return CURL_PREREQFUNC_ABORT;
  }
  attempt.connected_ = true;
  if (!attempt.has_body()) attempt.body_left_ = true;
  return CURL_PREREQFUNC_OK;
}

std::size_t Attempt::on_read(char* buffer, std::size_t size, std::size_t count, void* self) noexcept {
  auto& attempt = *static_cast<Attempt*>(self);
  if (!attempt.may_go_on()) return CURL_READFUNC_ABORT;
  const std::size_t piece = std::min(size * count, attempt.request_.body.size() - attempt.sent_);
  if (piece > 0) {
    attempt.body_left_ = true;
    std::memcpy(buffer, attempt.request_.body.data() + attempt.sent_, piece);
    attempt.sent_ += piece;
  }
  return piece;
}

std::size_t Attempt::on_header(char* line, std::size_t size, std::size_t count, void* self) noexcept {
  auto& attempt = *static_cast<Attempt*>(self);
  if (!attempt.body_left_) {
    // It lay on the connection before our request went out: a 408 for idling, say. Not the answer to anything we said.
    attempt.refused_ = Cause::stray_answer;
  } else if (!attempt.refused_) {
    attempt.refused_ = attempt.reader_.take_header({line, size * count});
  }
  return attempt.refused_ ? CURL_WRITEFUNC_ERROR : size * count;
}

std::size_t Attempt::on_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept {
  auto& attempt = *static_cast<Attempt*>(self);
  if (!attempt.refused_) attempt.refused_ = attempt.reader_.take_body({bytes, size * count});
  return attempt.refused_ ? CURL_WRITEFUNC_ERROR : size * count;
}

// ---- the options

/// The list that libcurl reads, in two blocks of memory; curl_slist_append() would take two a line.
curl_slist* Attempt::make_header_list() {
  header_lines_.reserve(1024);
  const auto add = [&](std::string_view name, std::string_view separator, std::string_view value) {
    header_lines_.append(name).append(separator).append(value).push_back('\0');
    header_list_.push_back({nullptr, nullptr});
  };
  header_list_.reserve(request_.headers.size() + 2);
  for (const Header& header : request_.headers) add(header.name, header.value.empty() ? ";" : ": ", header.value);
  if (!request_.authorization.empty()) add("Authorization", ": ", request_.authorization.reveal());
  add("Expect", ":", "");  // no 100-continue: it would only add a second way to wait

  char* line = header_lines_.data();  // only now: it moves while it grows
  for (std::size_t i = 0; i < header_list_.size(); ++i) {
    header_list_[i] = {line, i + 1 < header_list_.size() ? &header_list_[i + 1] : nullptr};
    line += std::strlen(line) + 1;
  }
  return header_list_.data();
}

/// The first error of any option is the result: an option that could not be set must not be missed in silence.
CURLcode Attempt::set_up(CURL* easy, const Url& url, bool idle_for_too_long) {
  CURLcode first_error = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    if (const CURLcode code = curl_easy_setopt(easy, option, value); first_error == CURLE_OK) first_error = code;
  };
  const auto set_text = [&](CURLoption option, const std::string& value) {
    if (!value.empty()) set(option, value.c_str());
  };

  set(CURLOPT_URL, url.text.c_str());
  set(CURLOPT_HTTPHEADER, make_header_list());
  set(CURLOPT_ERRORBUFFER, error_.data());

  if (has_body() || expects_content(request_.method)) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  }
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request_.method != "POST" && (request_.method != "GET" || has_body())) {
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
  // READFUNCTION without a SEEKFUNCTION: libcurl cannot rewind the body and so cannot send it again by itself.
  set(CURLOPT_READFUNCTION, &Attempt::on_read);
  set(CURLOPT_READDATA, static_cast<void*>(this));
  set(CURLOPT_PREREQFUNCTION, &Attempt::on_connected);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &Attempt::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &Attempt::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));

  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &Attempt::on_progress);
  set(CURLOPT_XFERINFODATA, static_cast<void*>(this));

  set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTPAUTH, CURLAUTH_NONE);
  set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));  // the bearer is not for a proxy
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_ACCEPT_ENCODING, "gzip");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(CURLOPT_QUICK_EXIT, 1L);  // else a hanging name look-up is joined when the transfer is dropped
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(std::clamp<milliseconds::rep>(limits_.connect_timeout.count(), 1, INT_MAX)));
  // libcurl counts whole seconds, and "more than 4" is 5 to it: it only clears away what we no longer use.
  set(CURLOPT_FRESH_CONNECT, idle_for_too_long ? 1L : 0L);
  set(CURLOPT_MAXAGE_CONN, static_cast<long>(std::chrono::ceil<std::chrono::seconds>(options_.max_idle).count()));

  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options_.ca_file.empty() || !options_.ca_pem.empty()) {
    // Else the system's folder would be trusted, too. In 8.21 a null pointer stands for that very folder.
    set(CURLOPT_CAPATH, "/dev/null");
  }
  set_text(CURLOPT_CAINFO, options_.ca_file);
  if (!options_.ca_pem.empty()) {
    curl_blob blob{
        .data = const_cast<char*>(options_.ca_pem.data()), .len = options_.ca_pem.size(), .flags = CURL_BLOB_NOCOPY};
    set(CURLOPT_CAINFO_BLOB, &blob);
  }
  set_text(CURLOPT_SSLCERT, options_.client_certificate);
  set_text(CURLOPT_SSLKEY, options_.client_key);
  set_text(CURLOPT_KEYPASSWD, options_.client_key_password.reveal());

  // Only for the name of the stage: not every TLS library has it, and that is no reason to fail.
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &Attempt::on_handshake);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, static_cast<void*>(this));

  if (url.plain) {
    set(CURLOPT_NOPROXY, "*");  // http_proxy would carry the bearer away in the clear
  } else if (!options_.proxy.empty()) {
    set(CURLOPT_PROXY, options_.proxy.reveal().c_str());
    set(CURLOPT_NOPROXY, "");  // given in so many words: no_proxy is not asked
  }
  return first_error;
}

// ---- what became of it

Stage Attempt::stage(CURL* easy) const {
  curl_off_t looked_up = 0;
  curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
  if (reader_.begun()) return Stage::receive;
  if (body_left_) return sent_ == request_.body.size() ? Stage::wait : Stage::send;
  if (connected_) return Stage::send;
  if (looked_up == 0) return Stage::resolve;
  return handshaking_ ? Stage::handshake : Stage::connect;
}

/// Once the body left, these speak of the connection that libcurl wanted to put in the place of the lost one.
bool speaks_of_connecting(CURLcode code) {
  return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT ||
         code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION;
}

Cause Attempt::cause(CURL* easy, CURLcode code) const {
  if (refused_) return *refused_;
  if (resend_refused_) return Cause::closed;
  long os_error = 0;
  long connect_status = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &connect_status);
  if (!connected_ && connect_status >= 300) return Cause::proxy_refused;
  if (body_left_ && speaks_of_connecting(code)) return Cause::closed;
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
      if (!connected_) return Cause::configuration;
      return Cause::malformed;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CRL_BADFILE:
      return Cause::configuration;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP2:
    case CURLE_WRITE_ERROR:
      return Cause::malformed;
    case CURLE_OK:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return os_error == ECONNRESET || os_error == EPIPE ? Cause::reset : Cause::closed;
    default:
      return Cause::other;
  }
}

std::string Attempt::text(CURLcode code, Cause cause) const {
  switch (cause) {
    case Cause::cancelled:
      return "cancelled";
    case Cause::timed_out:
      if (code != CURLE_OPERATION_TIMEDOUT) return "the time for this attempt was up";
      return "no connection within " + std::to_string(limits_.connect_timeout.count()) + " ms";
    case Cause::closed:
      return body_left_ ? "the connection was closed before the answer was whole" : "the connection was closed";
    case Cause::reset:
      return body_left_ ? "the connection was reset before the answer was whole" : "the connection was reset";
    case Cause::stray_answer:
      return "an answer came before the request's body had left: it answers nothing, and the connection was closed";
    case Cause::too_large:
      return reader_.headers_whole()
                 ? "the answer's body is larger than " + std::to_string(options_.max_body) + " bytes"
                 : "the answer's headers are larger than " + std::to_string(options_.max_headers) + " bytes";
    case Cause::malformed:
      return "what came is not an HTTP answer";
    case Cause::proxy_refused:
      return "the proxy refused to connect to the server";
    default:
      break;
  }
  // libcurl's own words only where they cannot hold a proxy's password (it quotes a proxy URL it cannot read or use).
  const bool quotable = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_PEER_FAILED_VERIFICATION ||
                        code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CACERT_BADFILE ||
                        code == CURLE_SSL_CERTPROBLEM;
  const std::string own = quotable ? error_.data() : "";
  return detail::printable(own.empty() ? curl_easy_strerror(code) : own, 300);
}

Failure Attempt::failure(CURL* easy, CURLcode code, Cause cause) const {
  return {.stage = stage(easy), .cause = cause, .body_left = body_left_, .text = text(code, cause)};
}

Reply Attempt::reply(CURL* easy, CURLcode code) {
  if (reader_.headers_whole() && code == CURLE_OK) return answer(easy, std::nullopt);
  Failure why = failure(easy, code, cause(easy, code));
  if (reader_.headers_whole()) return answer(easy, std::move(why));
  return why;
}

Answer Attempt::answer(CURL* easy, std::optional<Failure> failure) {
  const Framing framing = reader_.framing();
  // Where only the close can say that the body is whole, its manner (FIN, RST, TLS without close_notify) says no more.
  const bool ended_by_close = failure && (failure->cause == Cause::closed || failure->cause == Cause::reset);
  if (framing == Framing::by_close && ended_by_close) failure.reset();
  // libcurl does not mind a gzip stream that stops in its head: bytes came, and nothing came out of them.
  curl_off_t received = 0;
  curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
  const bool swallowed = reader_.body().empty() && received > 0;
  if (!failure && (framing == Framing::contradictory || swallowed)) {
    failure = Failure{.stage = Stage::receive,
                      .cause = Cause::malformed,
                      .body_left = true,
                      .text = text(CURLE_OK, Cause::malformed)};
  }
  return {.status = reader_.status(),
          .headers = std::move(reader_).headers(),
          .body = std::move(reader_).body(),
          .framed = framing == Framing::by_headers && !failure,
          .cut = std::move(failure)};
}

// ---- the transfer

/// Wakes a handle's poll when a stop is requested, from whichever thread requests it.
struct Wake {
  CURLM* multi;
  void operator()() const noexcept { curl_multi_wakeup(multi); }
};

milliseconds until(steady_clock::time_point deadline) {
  const auto left = deadline - steady_clock::now();
  return std::clamp(std::chrono::ceil<milliseconds>(std::min<steady_clock::duration>(left, std::chrono::hours{1})),
                    milliseconds{0}, milliseconds{3'600'000});
}

CURLcode result_of(CURLM* multi) {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) return message->data.result;
  }
  return CURLE_FAILED_INIT;
}

Failure unusable(std::string why) {
  return {.stage = Stage::prepare, .cause = Cause::configuration, .body_left = false, .text = std::move(why)};
}

/// An easy handle's stay on its multi. Leaving drops a transfer that is not done and its connection.
class Stay {
 public:
  explicit Stay(const Handle& handle)
      : handle_(handle), code_(curl_multi_add_handle(handle.multi.get(), handle.easy.get())) {}
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;
  ~Stay() {
    curl_multi_remove_handle(handle_.multi.get(), handle_.easy.get());
    curl_easy_reset(handle_.easy.get());  // its options point into the attempt
  }
  [[nodiscard]] bool failed() const noexcept { return code_ != CURLM_OK; }

 private:
  const Handle& handle_;
  CURLMcode code_;
};

Reply transfer(const Handle& handle, Attempt& attempt, const Limits& limits, milliseconds max_idle) {
  CURLM* multi = handle.multi.get();
  CURL* easy = handle.easy.get();
  const bool idle_for_too_long = steady_clock::now() - handle.last_used > max_idle;
  if (const CURLcode code = attempt.set_up(easy, handle.url, idle_for_too_long); code != CURLE_OK) {
    curl_easy_reset(easy);
    return unusable(std::string("libcurl refused an option: ") + curl_easy_strerror(code));
  }
  const Stay stay(handle);
  if (stay.failed()) return unusable("libcurl refused the transfer");
  const std::stop_callback wake(limits.stop, Wake{multi});
  for (;;) {
    if (!attempt.may_go_on()) return attempt.reply(easy, CURLE_ABORTED_BY_CALLBACK);
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) return attempt.reply(easy, CURLE_FAILED_INIT);
    if (running == 0) return attempt.reply(easy, result_of(multi));
    curl_multi_poll(multi, nullptr, 0, static_cast<int>(until(limits.deadline).count()), nullptr);
  }
}

}  // namespace

struct CurlTransport::Impl {
  explicit Impl(CurlOptions given) : options(std::move(given)) {}

  std::optional<Handle> take() {
    std::optional<Handle> handle = newest_idle();
    if (!handle) return make_handle();
    if (!easy_handles_may_be_used_again()) handle->easy.reset(curl_easy_init());
    if (!handle->easy) handle.reset();
    return handle;
  }
  std::optional<Handle> newest_idle() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) return std::nullopt;
    Handle newest = std::move(idle.back());
    idle.pop_back();
    return newest;
  }
  void give_back(Handle handle) {
    const std::lock_guard lock(mutex);
    if (idle.size() < options.max_idle_handles) idle.push_back(std::move(handle));
  }

  const CurlOptions options;
  std::mutex mutex;
  std::vector<Handle> idle;
};

CurlTransport::CurlTransport(CurlOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
CurlTransport::~CurlTransport() = default;

Reply CurlTransport::perform(const Request& request, const Limits& limits) {
  if (const std::string problem = curl_problem(); !problem.empty()) return unusable(problem);
  const bool headers_fit = std::ranges::all_of(request.headers, well_formed) &&
                           is_field_value(request.authorization.reveal()) && is_token(request.method);
  if (!headers_fit) return unusable("the method or a header holds what HTTP does not allow");
  if (request.method == "HEAD" && !request.body.empty()) return unusable("HEAD takes no body");
  if (!proxy_fits(impl_->options.proxy.reveal())) {
    return unusable("the proxy must be a URL that begins with http://, https://, socks5:// or socks5h://");
  }

  std::optional<Handle> handle = impl_->take();
  if (!handle) return unusable("libcurl has no memory for another transfer");
  if (handle->last_url != request.url) {
    handle->url = parse_url(request.url);
    handle->last_url = request.url;
  }
  if (!handle->url.problem.empty()) return unusable("the URL " + handle->url.problem);
  Attempt attempt(request, impl_->options, limits);
  Reply reply = transfer(*handle, attempt, limits, impl_->options.max_idle);
  handle->last_used = steady_clock::now();
  impl_->give_back(*std::move(handle));
  return reply;
}

}  // namespace connectid::inline v0::http
