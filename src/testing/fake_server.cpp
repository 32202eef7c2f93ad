#include <connectid/testing/fake_server.hpp>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "testing/http_server.hpp"
#include "testing/routes/api.hpp"
#include "testing/routes/oauth.hpp"

namespace connectid::inline v0::testing {
namespace {

using nlohmann::json;
using HttpResponse = Script::HttpResponse;

/// What waits for the next requests at one gate. Thread-safe.
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

  [[nodiscard]] Script take() {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return always_;
    Script script = std::move(queue_.front());
    queue_.pop_front();
    return script;
  }

 private:
  std::mutex mutex_;
  std::deque<Script> queue_;
  Script always_;
};

/// Which script belongs to which request. A gate sees an exchange first and the server sees its request later: the port
/// of the connection between the two tells them which is which. Thread-safe.
class UnderWay {
 public:
  Fault begin(std::uint16_t port, Script script) {
    const std::lock_guard lock(mutex_);
    Fault fault = script.fault;
    scripts_.insert_or_assign(port, std::move(script));
    return fault;
  }

  Script take(std::uint16_t port) {
    const std::lock_guard lock(mutex_);
    auto taken = scripts_.extract(port);
    return taken.empty() ? Script{} : std::move(taken.mapped());
  }

 private:
  std::mutex mutex_;
  std::map<std::uint16_t, Script> scripts_;
};

/// Behind a gate that cuts it off.
HttpResponse did_not_act() { return detail::refusal(503, "TestException", "The script does not act"); }

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
        tokens(options),
        http([this](const httplib::Request& request, httplib::Response& response) { serve(request, response); }),
        gate(http.port(), gate_with(scripts, options.port)),
        token_gate(http.port(), gate_with(login_scripts, 0)) {}

  FaultGate::Options gate_with(Scripts& from, std::uint16_t port) {
    return {.plan = [this, &from](
                        const FaultGate::Position& at) { return under_way.begin(at.server_side_port, from.take()); },
            .certificate = certificate,
            .port = port};
  }

  [[nodiscard]] std::string url_of(const FaultGate& at) const {
    return (options.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(at.port());
  }

  void serve(const httplib::Request& request, httplib::Response& response) {
    const Script script = under_way.take(static_cast<std::uint16_t>(request.remote_port));
    const ReceivedRequest received = detail::received_from(request);
    if (received.method == "GET" && received.path == "/__connectid/log") return detail::give(log(), response);
    if (detail::TokenEndpoint::serves(received))
      return detail::give(response_of_the_authorization_server(received, script), response);
    records.received(received);
    detail::give(response_of_the_api(received, script), response);
  }

  HttpResponse response_of_the_api(const ReceivedRequest& request, const Script& script) {
    if (!script.acts) return script.response.value_or(did_not_act());
    HttpResponse by_the_rules = obey(request);
    return script.response.value_or(std::move(by_the_rules));
  }

  HttpResponse response_of_the_authorization_server(const ReceivedRequest& request, const Script& script) {
    if (!script.acts) {
      HttpResponse response = script.response.value_or(did_not_act());
      tokens.responded_otherwise(request, response);
      return response;
    }
    HttpResponse by_the_rules = tokens.response(request);
    return script.response.value_or(std::move(by_the_rules));
  }

  /// What was received and started so far. Reading it leaves no trace in it.
  [[nodiscard]] HttpResponse log() const {
    json response = {{"bodies_received", records.bodies()}, {"received", json::array()}, {"started", json::array()}};
    for (const ReceivedRequest& request : records.received()) {
      json headers = json::object();
      for (const http::Header& header : request.headers) headers[header.name] = header.value;
      response["received"].push_back(
          {{"method", request.method}, {"path", request.path}, {"headers", headers}, {"body", request.body}});
    }
    for (const StartedSubscription& start : records.started()) {
      response["started"].push_back(
          {{"request", json::parse(to_json(start.request))}, {"call_id", start.call_id}, {"account", start.account}});
    }
    response["token_requests"] = json::array();
    for (const TokenGrant& grant : tokens.requests()) {
      response["token_requests"].push_back({{"grant_type", grant.grant_type},
                                            {"account", grant.account},
                                            {"client_id", grant.client_id},
                                            {"error", grant.error}});
    }
    response["reused_refresh_tokens"] = tokens.reused();
    return {.status = 200, .body = response.dump(-1, ' ', false, json::error_handler_t::replace), .headers = {}};
  }

  HttpResponse obey(const ReceivedRequest& request) {
    detail::Ruling ruling = detail::rule(
        request, [this](const std::string& access_token) { return tokens.account_of(access_token); },
        [this] { return records.started(); });
    if (ruling.started) records.started(*std::move(ruling.started));
    return std::move(ruling.response);
  }

  const FakeServerOptions options;
  const std::optional<Certificate> certificate;
  const std::string no_authority = {};
  Scripts scripts, login_scripts;
  UnderWay under_way;
  Records records;
  detail::TokenEndpoint tokens;
  detail::HttpServer http;
  FaultGate gate, token_gate;  // the last members: they go first and take the server's connections with them
};

FakeServer::FakeServer(FakeServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
FakeServer::~FakeServer() = default;

std::string FakeServer::url() const { return impl_->url_of(impl_->gate); }
std::string FakeServer::login_url() const { return impl_->url_of(impl_->token_gate); }

Environment FakeServer::environment() const { return Environment::custom(url(), login_url()); }

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

std::string FakeServer::log_in(const std::string& account) { return impl_->tokens.log_in(account); }
void FakeServer::next_login(std::string account) { impl_->tokens.next_login(std::move(account)); }
void FakeServer::revoke(const std::string& account) { impl_->tokens.revoke(account); }
void FakeServer::expire_access_tokens() { impl_->tokens.expire_access_tokens(); }
void FakeServer::access_token_lifetime(std::chrono::milliseconds lifetime) {
  impl_->tokens.access_token_lifetime(lifetime);
}
void FakeServer::refresh_token_lifetime(std::chrono::milliseconds lifetime) {
  impl_->tokens.refresh_token_lifetime(lifetime);
}

void FakeServer::next_token_request(Script script) { impl_->login_scripts.next(std::move(script)); }
void FakeServer::always_token_request(Script script) { impl_->login_scripts.always(std::move(script)); }
FaultGate& FakeServer::token_gate() noexcept { return impl_->token_gate; }

std::vector<TokenGrant> FakeServer::token_requests() const { return impl_->tokens.requests(); }
std::size_t FakeServer::reused_refresh_tokens() const { return impl_->tokens.reused(); }

}  // namespace connectid::inline v0::testing
