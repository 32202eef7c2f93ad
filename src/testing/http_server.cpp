#include "testing/http_server.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <functional>
#include <list>
#include <stdexcept>
#include <utility>

namespace connectid::inline v0::testing::detail {
namespace {

using HttpResponse = Script::HttpResponse;

/// httplib adds four fields of its own to what came.
bool is_httplibs_own(const std::string& name) {
  constexpr std::array own = {"REMOTE_ADDR", "REMOTE_PORT", "LOCAL_ADDR", "LOCAL_PORT"};
  return std::ranges::find(own, name) != own.end();
}

const char* likely_type(const std::string& body) {
  return body.starts_with('{') || body.starts_with('[') ? "application/json" : "text/html";
}

/// RFC 9110 section 6.4.1: a body here would be taken for the beginning of the next response.
bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

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

/// When a connection ends is the business of scripts and gates, but newer versions of httplib add `Connection: close`
/// to every error. So a response that says nothing of it is marked before httplib sees it, and is cleared of both
/// after.
constexpr const char* says_nothing = "says-nothing";

void mark_connection(httplib::Response& response) {
  if (!response.has_header("Connection")) response.set_header("Connection", says_nothing);
}

/// httplib 0.41 takes what follows a DELETE that names no length for its body, that is the next request. `request` is
/// an object of httplib's own that is not const.
void end_request(const httplib::Request& request) {
  if (request.has_header("Content-Length") || request.has_header("Transfer-Encoding")) return;
  const_cast<httplib::Request&>(request).set_header("Content-Length", "0");
}

void clear_connection(const httplib::Request& request, httplib::Response& response) {
  const auto [first, last] = response.headers.equal_range("Connection");
  const bool marked = std::any_of(first, last, [](const auto& field) { return field.second == says_nothing; });
  if (!marked) return;
  response.headers.erase("Connection");
  if (request.get_header_value("Connection") == "close") response.set_header("Connection", "close");
}

std::unique_ptr<httplib::Server> make_httplib_server() {
  const KeepSigpipe keep;
  return std::make_unique<httplib::Server>();
}

}  // namespace

ReceivedRequest received_from(const httplib::Request& request) {
  ReceivedRequest received{.method = request.method, .path = request.target, .headers = {}, .body = request.body};
  for (const auto& [name, value] : request.headers) {
    if (!is_httplibs_own(name)) received.headers.push_back({name, value});
  }
  return received;
}

void give(const HttpResponse& scripted, httplib::Response& response) {
  response.status = scripted.status;
  for (const auto& [name, value] : scripted.headers) response.headers.emplace(name, value);
  for (const char* framing : {"Content-Length", "Transfer-Encoding"}) response.headers.erase(framing);
  if (has_no_body(scripted.status)) return;
  response.body = scripted.body;
  if (!response.body.empty() && !response.has_header("Content-Type")) {
    response.set_header("Content-Type", likely_type(response.body));
  }
}

HttpServer::HttpServer(const httplib::Server::Handler& handler) : server_(make_httplib_server()) {
  configure();
  route(handler);
  listen();
}

HttpServer::~HttpServer() { ::shutdown(socket_.get(), SHUT_RDWR); }

void HttpServer::configure() {
  constexpr time_t long_enough = 24 * 60 * 60;  // when a connection ends is the gate's business
  server_->set_keep_alive_max_count(1'000'000'000);
  server_->set_keep_alive_timeout(long_enough);
  server_->set_read_timeout(long_enough);
  server_->set_write_timeout(long_enough);
  server_->set_tcp_nodelay(true);
  server_->set_socket_options(
      [this](int socket) { socket_ = connectid::detail::Fd(::fcntl(socket, F_DUPFD_CLOEXEC, 0)); });
  server_->new_task_queue = [this] {
    running_.count_down();
    return std::make_unique<ThreadPerConnection>().release();
  };
}

void HttpServer::route(const httplib::Server::Handler& handler) {
  const char* const anything = ".*";
  const auto marking = [handler](const httplib::Request& request, httplib::Response& response) {
    handler(request, response);
    mark_connection(response);
  };
  server_->Get(anything, marking);
  server_->Post(anything, marking);
  server_->Put(anything, marking);
  server_->Patch(anything, marking);
  server_->Delete(anything, marking);
  server_->Options(anything, marking);
  server_->set_post_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    clear_connection(request, response);
    end_request(request);
  });
}

void HttpServer::listen() {
  const int port = server_->bind_to_any_port("127.0.0.1");
  if (port <= 0) throw std::runtime_error("connectid::testing: no port for the fake server");
  port_ = static_cast<std::uint16_t>(port);
  ::listen(socket_.get(), 512);  // httplib's own backlog is 5: a burst of connections would wait a second
  thread_ = std::jthread([this] { server_->listen_after_bind(); });
  running_.wait();
}

}  // namespace connectid::inline v0::testing::detail
