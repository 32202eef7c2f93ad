// One subscription, started for real over HTTP at the fake server that the package brings.
#include <chrono>
#include <connectid/connectid.hpp>
#include <connectid/testing/fake_server.hpp>
#include <iostream>

using namespace std::chrono_literals;

int main() {
  connectid::testing::FakeServer server;
  connectid::SubscriptionClient client({
      .environment = server.environment(),
      .token_source = connectid::static_token("test-token"),
  });

  const auto result = client.start(
      {
          .product = "CO27409",
          .start_time = connectid::Timestamp{1560336440000ms},
          .copies = 1,
          .coupon_code = "WMDigi",
          .coupon_number = 5223,
      },
      {.timeout = 10s});
  if (!result) {
    std::cerr << result.error() << '\n';
    return 1;
  }
  const auto started = server.started();
  std::cout << "started " << started.size() << ": " << started.front().request.product << '\n';
  return started.size() == 1 && started.front().request.product == "CO27409" && server.bodies_received() == 1 ? 0 : 1;
}
