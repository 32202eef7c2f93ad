// A transport of your own: it logs each attempt, and can be shut while sales are closed.

#include <connectid/connectid.hpp>
#include <connectid/testing/fake_server.hpp>

#include <atomic>
#include <iostream>
#include <memory>

namespace {

using namespace std::chrono_literals;
namespace http = connectid::http;

// docs: transport
class ShopTransport final : public http::Transport {
 public:
  std::atomic<bool> closed = false;

  http::AttemptResult perform(const http::Request& request, const http::Limits& limits) override {
    // Nothing was asked of the network: that is certain, so `body_left` may be false. With most other causes the call
    // would try again for as long as `RetryPolicy::connect_for` says.
    if (closed) {
      return http::Failure{.cause = connectid::Cause::configuration, .body_left = false, .text = "sales are closed"};
    }
    http::AttemptResult attempt = wire_.perform(request, limits);
    if (const auto* response = std::get_if<http::Response>(&attempt)) {
      std::clog << request.method << ' ' << request.url << ": HTTP " << response->status << '\n';
    } else {  // `body_left` is passed on as it came; who cannot know says true
      std::clog << request.method << ' ' << request.url << ": " << std::get<http::Failure>(attempt).text << '\n';
    }
    return attempt;
  }

 private:
  http::CurlTransport wire_;  // makes one attempt, never a second by itself: so must yours
};
// docs: end

}  // namespace

int main() {
  connectid::testing::FakeServer server;
  const auto transport = std::make_shared<ShopTransport>();
  const connectid::SubscriptionClient client({
      .environment = server.environment(),
      .token_source = connectid::static_token("test-token"),
      .transport = transport,
  });
  const connectid::StartSubscriptionRequest request{.product = "CO27409",
                                                    .start_time = connectid::Timestamp{1774994400000ms},
                                                    .copies = 1,
                                                    .coupon_code = "WMDigi",
                                                    .coupon_number = 5223};
  const auto outcome = [&] {
    const auto result = client.start(request);
    return result ? "started" : connectid::to_string(result.error().outcome());
  };

  const bool open = outcome() == "started";
  server.next(connectid::testing::started_but_response_lost());
  const bool truncated = outcome() == "unknown";
  transport->closed = true;
  const bool closed = outcome() == "not_sent";
  const bool as_it_should_be = open && truncated && closed && server.bodies_received() == 2;
  std::cout << (as_it_should_be ? "as it should be" : "NOT as it should be") << '\n';
  return as_it_should_be ? 0 : 1;
}
