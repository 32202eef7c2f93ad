#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <connectid/environment.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/start_subscription.hpp>
#include <connectid/testing/certificate.hpp>
#include <connectid/testing/fault_gate.hpp>

namespace connectid::inline v0::testing {

/// What the server does with one request. Made by the functions below, which name what they do.
struct Script {
  /// An answer of its own.
  struct HttpAnswer {
    int status = 200;            ///< as it is
    std::string body = {};       ///< as it is
    http::Headers headers = {};  ///< beside those that frame the body
  };
  bool acts = true;  ///< follow the documented rules; false: the request is read and counted, no more
  std::optional<HttpAnswer> answer = {};  ///< in place of the answer by the rules
  Fault fault = {};                       ///< what the gate does to the exchange
};

// Each is one Script; byte numbers count the bytes of one exchange, inside TLS where there is TLS.

/// This answer; nothing is started. The server frames it itself, so Content-Length and Transfer-Encoding in `headers`
/// are dropped (`raw_answer` is for those that lie), and gives a Content-Type where none is named.
[[nodiscard]] Script answer(int status, std::string body, http::Headers headers = {});
/// The request is obeyed, then the connection ends (FIN unless told) before the answer's first byte.
[[nodiscard]] Script started_but_answer_lost(Fault::End end = Fault::End::fin);
/// The request is read whole, then the connection ends; nothing is started.
[[nodiscard]] Script lost_before_acting(Fault::End end = Fault::End::fin);
/// 429 with `Retry-After` (in whole seconds, rounded up) and `X-RateLimit-Remaining: 0`.
[[nodiscard]] Script rate_limited_for(std::chrono::milliseconds pause);
/// Obeyed; the answer comes so much later.
[[nodiscard]] Script delayed(std::chrono::milliseconds pause);
/// Obeyed; the answer comes byte by byte with this pause between.
[[nodiscard]] Script slow(std::chrono::milliseconds between_bytes);
/// Obeyed; the answer never comes and the connection stays open.
[[nodiscard]] Script silent();
/// The connection ends once so many bytes of the request came: the server never has it whole.
[[nodiscard]] Script cut_request_at(std::size_t byte, Fault::End end = Fault::End::fin);
/// Obeyed; the connection ends once so many bytes of the answer went.
[[nodiscard]] Script cut_answer_at(std::size_t byte, Fault::End end = Fault::End::fin);
/// Obeyed; then exactly these bytes are the answer.
[[nodiscard]] Script raw_answer(std::string bytes, Fault::End end = Fault::End::keep);
/// Obeyed; the answer is not HTTP, then the connection ends.
[[nodiscard]] Script garbage();
/// Obeyed; 200 with a JSON body of so many bytes (15 or more), before it is compressed for a client that accepts that.
[[nodiscard]] Script huge(std::size_t bytes);
/// Obeyed; then the connection ends without an answer and new ones are refused.
[[nodiscard]] Script gone();

/// One subscription that was started.
struct StartedSubscription {
  StartSubscriptionRequest request;  ///< as it was understood
  std::string call_id = {};          ///< X-Request-Id
};

/// One request as it came, obeyed or not.
struct ReceivedRequest {
  std::string method = {};     ///< `POST`
  std::string path = {};       ///< with the query, where there is one
  http::Headers headers = {};  ///< by name; Authorization too: it is a test's token
  std::string body = {};       ///< its bytes
};

/// How the server is set up. Fill it with designated initialisers.
struct FakeServerOptions {
  bool tls = false;                         ///< speak TLS, with a certificate made on the spot
  CertificateOptions certificate = {};      ///< with `tls`: what it says
  std::string access_token = "test-token";  ///< the bearer that is let in
  std::uint16_t port = 0;                   ///< to listen on; 0: a free one
};

/// The Connect API's *Start subscription* on a free port of 127.0.0.1, for tests without the live service: documented
/// rules, 401 without the right bearer, 400 with `exceptionType`/`errorMessage`, 404 elsewhere. It remembers what
/// was started and counts every body it received; `GET /__connectid/log` tells both as JSON, for tests in other
/// languages. Thread-safe; starts when made, ends when destroyed.
class FakeServer {
 public:
  /// Throws std::runtime_error where no port can be had or no certificate made.
  explicit FakeServer(FakeServerOptions options);
  /// With the default options: plain http on a free port.
  FakeServer() : FakeServer(FakeServerOptions()) {}
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  ~FakeServer();

  [[nodiscard]] std::string url() const;                     ///< `http://127.0.0.1:PORT` or `https://…`
  [[nodiscard]] Environment environment() const;             ///< custom(url(), url())
  [[nodiscard]] const std::string& ca_pem() const noexcept;  ///< for `CurlOptions::ca_pem`; empty without TLS

  /// For the next request that has none yet; queued, first come first served. One exchange takes one script.
  void next(Script script);
  /// For every request that finds the queue empty; replaces what was set before.
  void always(Script script);

  [[nodiscard]] std::vector<StartedSubscription> started() const;  ///< so far, in order
  [[nodiscard]] std::vector<ReceivedRequest> received() const;     ///< so far, in order: whole requests only
  /// How many request bodies came whole. (Half ones: `gate().exchanges()` counts every request begun.)
  [[nodiscard]] std::size_t bodies_received() const;
  /// Waits until so many bodies came whole; false when the time is up first.
  [[nodiscard]] bool wait_for_bodies(std::size_t count, std::chrono::milliseconds timeout) const;

  /// Everything goes through it: stop listening, stray answers, closed idle connections.
  [[nodiscard]] FaultGate& gate() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace connectid::inline v0::testing
