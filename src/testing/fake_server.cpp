#include <connectid/testing/fake_server.hpp>

#include <fcntl.h>
#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <functional>
#include <latch>
#include <list>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <utility>

#include "testing/socket.hpp"

namespace connectid::inline v0::testing {
namespace {

using nlohmann::json;
using HttpAnswer = Script::HttpAnswer;

// The documented rules

HttpAnswer refusal(int status, const char* exception_type, const std::string& message) {
  const json body = {{"exceptionType", exception_type}, {"errorMessage", message}};
  return {.status = status, .body = body.dump(-1, ' ', false, json::error_handler_t::replace), .headers = {}};
}

HttpAnswer not_valid(const std::string& message) { return refusal(400, "ValidationException", message); }

HttpAnswer unauthorized() {
  const json body = {{"error", "invalid_token"}, {"error_description", "The access token is missing or not valid"}};
  return {.status = 401, .body = body.dump(), .headers = {{"WWW-Authenticate", R"(Bearer error="invalid_token")"}}};
}

std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && at == end ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> whole_number(const json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && !std::in_range<std::int64_t>(value.get<std::uint64_t>())) return std::nullopt;
  return value.get<std::int64_t>();
}

/// Reads the fields of a JSON object and gathers what is wrong with their types.
class Fields {
 public:
  explicit Fields(const json& object) : object_(object) {}

  std::string text(const char* name) {
    const json* const value = find(name);
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>();
    complain(name, " must be a string");
    return {};
  }

  std::optional<std::int64_t> integer(const char* name) {
    const json* const value = find(name);
    if (value == nullptr) return std::nullopt;
    const auto number = whole_number(*value);
    if (!number) complain(name, " must be an integer");
    return number;
  }

  /// The reference's table says integer, its example shows a string.
  std::optional<std::int64_t> integer_or_text(const char* name) {
    const json* const value = find(name);
    if (value == nullptr || !value->is_string()) return integer(name);
    const auto number = whole_number(value->get_ref<const std::string&>());
    if (!number) complain(name, " must be an integer, or a string that holds one");
    return number;
  }

  std::optional<Timestamp> time(const char* name) {
    const auto count = integer(name);
    return count ? std::optional(Timestamp{std::chrono::milliseconds{*count}}) : std::nullopt;
  }

  [[nodiscard]] const std::string& complaints() const noexcept { return complaints_; }

 private:
  const json* find(const char* name) const {
    const auto at = object_.find(name);
    return at == object_.end() ? nullptr : &*at;
  }

  void complain(const char* name, const char* rule) {
    if (!complaints_.empty()) complaints_ += "; ";
    complaints_.append(name).append(rule);
  }

  const json& object_;
  std::string complaints_;
};

StartSubscriptionRequest decode(Fields& fields) {
  return {
      .company_code = fields.text("companyCode"),
      .product = fields.text("product"),
      .start_time = fields.time("startTime"),
      .end_time = fields.time("endTime"),
      .copies = fields.integer_or_text("copies"),
      .coupon_code = fields.text("couponCode"),
      .coupon_number = fields.integer("couponNumber"),
      .customer_reference = fields.text("customerReference"),
  };
}

std::string sentence(const std::vector<Violation>& violations) {
  std::string all;
  for (const Violation& violation : violations) {
    if (!all.empty()) all += "; ";
    all += violation.message;
  }
  return all;
}

struct Ruling {
  HttpAnswer answer;
  std::optional<StartSubscriptionRequest> started;
};

Ruling start_subscription(const std::string& text) {
  const json body = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) return {not_valid("The body must be a JSON object"), std::nullopt};
  Fields fields(body);
  StartSubscriptionRequest request = decode(fields);
  if (!fields.complaints().empty()) return {not_valid(fields.complaints()), std::nullopt};
  if (const auto violations = validate(request); !violations.empty()) {
    return {not_valid(sentence(violations)), std::nullopt};
  }
  return {{.status = 200, .body = R"({"status":"OK"})", .headers = {}}, std::move(request)};
}

std::string field_of(const http::Headers& headers, std::string_view name) {
  const std::string* const value = http::find(headers, name);
  return value == nullptr ? std::string() : *value;
}

Ruling rule(const ReceivedRequest& request, const std::string& access_token) {
  if (request.method != "POST" || request.path != "/v1/subscription") {
    return {refusal(404, "NotFoundException", "No such resource: " + request.method + " " + request.path),
            std::nullopt};
  }
  if (field_of(request.headers, "Authorization") != "Bearer " + access_token) return {unauthorized(), std::nullopt};
  return start_subscription(request.body);
}

// Between this server's terms and httplib's

/// httplib adds four fields of its own to what came.
bool is_httplibs_own(const std::string& name) {
  constexpr std::array own = {"REMOTE_ADDR", "REMOTE_PORT", "LOCAL_ADDR", "LOCAL_PORT"};
  return std::ranges::find(own, name) != own.end();
}

ReceivedRequest received_from(const httplib::Request& request) {
  ReceivedRequest received{.method = request.method, .path = request.target, .headers = {}, .body = request.body};
  for (const auto& [name, value] : request.headers) {
    if (!is_httplibs_own(name)) received.headers.push_back({name, value});
  }
  return received;
}

const char* likely_type(const std::string& body) {
  return body.starts_with('{') || body.starts_with('[') ? "application/json" : "text/html";
}

/// RFC 9110 section 6.4.1: a body here would be taken for the beginning of the next answer.
bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

void give(const HttpAnswer& answer, httplib::Response& response) {
  response.status = answer.status;
  for (const auto& [name, value] : answer.headers) response.headers.emplace(name, value);
  for (const char* framing : {"Content-Length", "Transfer-Encoding"}) response.headers.erase(framing);
  if (has_no_body(answer.status)) return;
  response.body = answer.body;
  if (!answer.body.empty() && !response.has_header("Content-Type")) {
    response.set_header("Content-Type", likely_type(answer.body));
  }
}

// The HTTP server behind the gate

/// A kept-alive connection holds its worker, so each has its own. Used by the listening thread alone.
class ThreadPerConnection final : public httplib::TaskQueue {
  using Queued = decltype(std::declval<httplib::TaskQueue&>().enqueue(nullptr));  // void, or bool in newer versions

 public:
  Queued enqueue(std::function<void()> serve) override {
    workers_.remove_if([](const Worker& worker) { return worker.done.load(); });
    workers_.emplace_back(std::move(serve));
    return static_cast<Queued>(true);
  }

  void shutdown() override { workers_.clear(); }

 private:
  struct Worker {
    explicit Worker(std::function<void()> serve)
        : thread([this, work = std::move(serve)] {
            block_sigpipe();
            work();
            done = true;
          }) {}

    /// httplib sends without MSG_NOSIGNAL, and a gate that cuts must not kill the program.
    static void block_sigpipe() {
      sigset_t set;
      ::sigemptyset(&set);
      ::sigaddset(&set, SIGPIPE);
      ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    }

    std::atomic<bool> done = false;
    std::jthread thread;
  };

  std::list<Worker> workers_;
};

/// Keeps the program's way with SIGPIPE: httplib's server changes it when it is made.
class KeepSigpipe {
 public:
  KeepSigpipe() { ::sigaction(SIGPIPE, nullptr, &before_); }
  KeepSigpipe(const KeepSigpipe&) = delete;
  KeepSigpipe& operator=(const KeepSigpipe&) = delete;
  ~KeepSigpipe() { ::sigaction(SIGPIPE, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

std::unique_ptr<httplib::Server> make_httplib_server() {
  const KeepSigpipe keep;
  return std::make_unique<httplib::Server>();
}

class HttpServer {
 public:
  explicit HttpServer(const httplib::Server::Handler& handler) : server_(make_httplib_server()) {
    configure();
    route(handler);
    listen();
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Ends accept() through the duplicate: httplib's own stop() closes a descriptor that its other thread still uses.
  /// The workers end with their connections, which the gate has closed before.
  ~HttpServer() { ::shutdown(socket_.get(), SHUT_RDWR); }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  void configure() {
    constexpr time_t long_enough = 24 * 60 * 60;  // when a connection ends is the gate's business
    server_->set_keep_alive_max_count(1'000'000'000);
    server_->set_keep_alive_timeout(long_enough);
    server_->set_read_timeout(long_enough);
    server_->set_write_timeout(long_enough);
    server_->set_tcp_nodelay(true);
    server_->set_socket_options([this](int socket) { socket_ = detail::Fd(::fcntl(socket, F_DUPFD_CLOEXEC, 0)); });
    server_->new_task_queue = [this] {
      running_.count_down();
      return std::make_unique<ThreadPerConnection>().release();
    };
  }

  void route(const httplib::Server::Handler& handler) {
    const char* const anything = ".*";
    server_->Get(anything, handler);
    server_->Post(anything, handler);
    server_->Put(anything, handler);
    server_->Patch(anything, handler);
    server_->Delete(anything, handler);
    server_->Options(anything, handler);
  }

  void listen() {
    const int port = server_->bind_to_any_port("127.0.0.1");
    if (port <= 0) throw std::runtime_error("connectid::testing: no port for the fake server");
    port_ = static_cast<std::uint16_t>(port);
    ::listen(socket_.get(), 512);  // httplib's own backlog is 5: a burst of connections would wait a second
    thread_ = std::jthread([this] { server_->listen_after_bind(); });
    running_.wait();
  }

  std::unique_ptr<httplib::Server> server_;
  detail::Fd socket_;  ///< a duplicate of httplib's listening one
  std::latch running_{1};
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

// What is to be done, and what was done

/// Which script belongs to which request. The gate sees an exchange first and the server sees its request later: the
/// port of the connection between the two tells them which is which.
class Scripts {
 public:
  void next(Script script) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(script));
  }

  void always(Script script) {
    const std::lock_guard lock(mutex_);
    always_ = std::move(script);
  }

  Fault begin(std::uint16_t port) {
    const std::lock_guard lock(mutex_);
    Script script = always_;
    if (!queue_.empty()) {
      script = std::move(queue_.front());
      queue_.pop_front();
    }
    Fault fault = script.fault;
    under_way_.insert_or_assign(port, std::move(script));
    return fault;
  }

  Script take(std::uint16_t port) {
    const std::lock_guard lock(mutex_);
    auto taken = under_way_.extract(port);
    return taken.empty() ? Script{} : std::move(taken.mapped());
  }

 private:
  std::mutex mutex_;
  std::deque<Script> queue_;
  Script always_;
  std::map<std::uint16_t, Script> under_way_;
};

class Records {
 public:
  void received(ReceivedRequest request) {
    const std::lock_guard lock(mutex_);
    if (request.method == "POST") ++bodies_;
    received_.push_back(std::move(request));
    more_bodies_.notify_all();
  }

  void started(StartedSubscription subscription) {
    const std::lock_guard lock(mutex_);
    started_.push_back(std::move(subscription));
  }

  [[nodiscard]] std::vector<ReceivedRequest> received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }

  [[nodiscard]] std::vector<StartedSubscription> started() const {
    const std::lock_guard lock(mutex_);
    return started_;
  }

  [[nodiscard]] std::size_t bodies() const {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }

  [[nodiscard]] bool wait_for_bodies(std::size_t count, std::chrono::milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    return more_bodies_.wait_for(lock, timeout, [&] { return bodies_ >= count; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable more_bodies_;
  std::vector<ReceivedRequest> received_;
  std::vector<StartedSubscription> started_;
  std::size_t bodies_ = 0;
};

}  // namespace

struct FakeServer::Impl {
  explicit Impl(FakeServerOptions from)
      : options(std::move(from)),
        certificate(options.tls ? std::optional(make_certificate(options.certificate)) : std::nullopt),
        http([this](const httplib::Request& request, httplib::Response& response) { serve(request, response); }),
        gate(http.port(),
             {.plan = [this](const FaultGate::Exchange& exchange) { return scripts.begin(exchange.server_side_port); },
              .certificate = certificate,
              .port = options.port}) {}

  void serve(const httplib::Request& request, httplib::Response& response) {
    const Script script = scripts.take(static_cast<std::uint16_t>(request.remote_port));
    const ReceivedRequest received = received_from(request);
    if (received.method == "GET" && received.path == "/__connectid/log") return give(log(), response);
    records.received(received);
    const HttpAnswer by_rule = script.acts ? obey(received) : refusal(503, "TestException", "The script does not act");
    give(script.answer.value_or(by_rule), response);
  }

  /// What was received and started so far. Reading it leaves no trace in it.
  [[nodiscard]] HttpAnswer log() const {
    json answer = {{"bodies_received", records.bodies()}, {"received", json::array()}, {"started", json::array()}};
    for (const ReceivedRequest& request : records.received()) {
      json headers = json::object();
      for (const http::Header& header : request.headers) headers[header.name] = header.value;
      answer["received"].push_back(
          {{"method", request.method}, {"path", request.path}, {"headers", headers}, {"body", request.body}});
    }
    for (const StartedSubscription& start : records.started()) {
      answer["started"].push_back({{"request", json::parse(to_json(start.request))}, {"call_id", start.call_id}});
    }
    return {.status = 200, .body = answer.dump(-1, ' ', false, json::error_handler_t::replace), .headers = {}};
  }

  HttpAnswer obey(const ReceivedRequest& request) {
    Ruling ruling = rule(request, options.access_token);
    if (ruling.started) records.started({std::move(*ruling.started), field_of(request.headers, "X-Request-Id")});
    return std::move(ruling.answer);
  }

  const FakeServerOptions options;
  const std::optional<Certificate> certificate;
  const std::string no_authority = {};
  Scripts scripts;
  Records records;
  HttpServer http;
  FaultGate gate;  // the last member: it goes first and takes the server's connections with it
};

FakeServer::FakeServer(FakeServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
FakeServer::~FakeServer() = default;

std::string FakeServer::url() const {
  return (impl_->options.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(impl_->gate.port());
}

Environment FakeServer::environment() const { return Environment::custom(url(), url()); }

const std::string& FakeServer::ca_pem() const noexcept {
  return impl_->certificate ? impl_->certificate->authority : impl_->no_authority;
}

void FakeServer::next(Script script) { impl_->scripts.next(std::move(script)); }
void FakeServer::always(Script script) { impl_->scripts.always(std::move(script)); }

std::vector<StartedSubscription> FakeServer::started() const { return impl_->records.started(); }
std::vector<ReceivedRequest> FakeServer::received() const { return impl_->records.received(); }
std::size_t FakeServer::bodies_received() const { return impl_->records.bodies(); }

bool FakeServer::wait_for_bodies(std::size_t count, std::chrono::milliseconds timeout) const {
  return impl_->records.wait_for_bodies(count, timeout);
}

FaultGate& FakeServer::gate() noexcept { return impl_->gate; }

}  // namespace connectid::inline v0::testing
