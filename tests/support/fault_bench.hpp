#pragma once

// What every test of faults on the wire is made of: a fake server, the real transport, and the one call that a row is
// about.

#include <connectid/connectid.hpp>
#include <connectid/testing/fake_server.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

namespace connectid::faults {

inline const StartSubscriptionRequest valid_request{.product = "CO27409",
                                                    .start_time = Timestamp{std::chrono::milliseconds{1560336440000}},
                                                    .copies = 1,
                                                    .coupon_code = "WMDigi",
                                                    .coupon_number = 5223};

/// What a test may choose before anything runs.
struct Choices {
  testing::FakeServerOptions server = {};
  http::CurlOptions curl = {};
  CallOptions call = {.timeout = std::chrono::seconds{20}};
  Timeouts timeouts = {};
  std::string host = "127.0.0.1";                         ///< by which the client calls the server
  std::uint16_t port = 0;                                 ///< likewise; 0: the port of what stands foremost
  std::optional<testing::FaultGate::Options> front = {};  ///< a gate before the server's own, to which TLS is bytes
  RetryPolicy retry_policy = {};
  TokenSource token_source = nullptr;  ///< none: always the token that the server lets in
  std::shared_ptr<Journal> journal = nullptr;
};

struct Bench {
  explicit Bench(Choices chosen)
      : choices(std::move(chosen)),
        server(choices.server),
        front(choices.front ? std::make_unique<testing::FaultGate>(server.gate().port(), *choices.front) : nullptr),
        client(ClientOptions{.environment = Environment::custom(url()),
                             .token_source = token_source(),
                             .transport = transport(),
                             .retry_policy = choices.retry_policy,
                             .rate_limit = RateLimit::off(),
                             .journal = choices.journal,
                             .timeouts = choices.timeouts}) {
    choices.call.stop_token = stop.get_token();
  }

  [[nodiscard]] Result<StartSubscriptionResponse> start() const { return client.start(valid_request, choices.call); }

  [[nodiscard]] std::string url() {
    const std::uint16_t foremost = front ? front->port() : server.gate().port();
    const std::uint16_t port = choices.port != 0 ? choices.port : foremost;
    return (choices.server.tls ? "https://" : "http://") + choices.host + ":" + std::to_string(port);
  }
  [[nodiscard]] TokenSource token_source() const {
    return choices.token_source ? choices.token_source : static_token(choices.server.access_token);
  }
  [[nodiscard]] std::shared_ptr<http::Transport> transport() {
    if (choices.curl.ca_pem.empty()) choices.curl.ca_pem = server.ca_pem();
    return std::make_shared<http::CurlTransport>(choices.curl);
  }

  Choices choices;
  testing::FakeServer server;
  std::unique_ptr<testing::FaultGate> front;
  testing::FakeServer elsewhere;  ///< where nothing may ever arrive
  std::stop_source stop;
  SubscriptionClient client;
  std::chrono::steady_clock::duration took{};  ///< by that call
  std::jthread helper;                         ///< runs beside the call, where a fault needs somebody to act during it
};

/// `started`, or how the call failed: `not_sent`, `rejected`, `unknown`.
[[nodiscard]] inline std::string outcome_of(const Result<StartSubscriptionResponse>& result) {
  return result ? "started" : std::string(to_string(result.error().outcome()));
}
[[nodiscard]] inline std::string kind_of(const Result<StartSubscriptionResponse>& result) {
  return result ? "" : std::string(to_string(result.error().kind()));
}

}  // namespace connectid::faults
