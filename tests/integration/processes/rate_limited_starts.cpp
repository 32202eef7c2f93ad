// One of many processes that start subscriptions inside one limit: rate_limited_starts URL FILE SECONDS. Prints how
// many it started; the exit status is 1 where one was not.
#include <chrono>
#include <connectid/connectid.hpp>
#include <cstdlib>
#include <iostream>

int main(int argc, char** argv) {
  using namespace connectid;
  using namespace std::chrono_literals;
  using Clock = std::chrono::steady_clock;
  if (argc != 4) return 2;
  const RateLimit limit = RateLimit::across_processes(argv[2]);
  const SubscriptionClient client(
      {.environment = Environment::custom(argv[1]), .token_source = static_token("test-token"), .rate_limit = limit});
  const StartSubscriptionRequest request{.product = "CO27409",
                                         .start_time = Timestamp{1560336440000ms},
                                         .copies = 1,
                                         .coupon_code = "WMDigi",
                                         .coupon_number = 5223};
  const auto end = Clock::now() + std::chrono::seconds(std::atoi(argv[3]));  // NOLINT(cert-err34-c): a test's own
  int started = 0;
  int failed = 0;
  while (Clock::now() < end) {
    const auto result = client.start(request);
    ++(result ? started : failed);
    if (!result) std::cerr << result.error() << '\n';
  }
  std::cout << started << std::endl;
  if (!limit.error().empty()) std::cerr << limit.error() << '\n';
  return failed > 0 || !limit.error().empty() ? 1 : 0;
}
