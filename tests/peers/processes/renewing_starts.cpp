// renewing_starts URL DIRECTORY ACCOUNT CLIENT_ID CLIENT_SECRET SECONDS: starts subscriptions for an account out of a
// FileTokenStore from four threads, each every 50 ms, until one of its own is not started. Prints how many it started;
// the exit status is 1 where one was not.

#include <connectid/connectid.hpp>

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  using namespace connectid;
  using namespace std::chrono_literals;
  using Clock = std::chrono::steady_clock;
  if (argc != 7) return 2;
  const auto environment = Environment::custom(argv[1], argv[1]);
  const auto source =
      auth::refresh_token_source({.credentials = {.environment = environment,
                                                  .client_id = argv[4],
                                                  .client_secret = argv[5],
                                                  .client_authentication = auth::ClientAuthentication::basic},
                                  .store = std::make_shared<auth::FileTokenStore>(argv[2]),
                                  .account = argv[3]});
  const SubscriptionClient client({.environment = environment, .token_source = source, .rate_limit = RateLimit::off()});
  const StartSubscriptionRequest request{.product = "CO27409",
                                         .start_time = Timestamp{1560336440000ms},
                                         .copies = 1,
                                         .coupon_code = "WMDigi",
                                         .coupon_number = 5223};
  const auto begin = Clock::now();
  const auto lasting = std::chrono::seconds(std::stoi(argv[6]));
  std::atomic<int> started = 0;
  std::atomic<bool> failed = false;
  const auto start_them = [&] {
    for (auto after = 0ms; after < lasting; after += 50ms) {  // a slow machine starts as many
      std::this_thread::sleep_until(begin + after);
      const auto result = client.start(request);
      if (!result) {
        std::cerr << (result.error().message() + "\n");
        failed = true;
        return;
      }
      ++started;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(start_them);
  }
  std::cout << started << '\n';
  return failed ? 1 : 0;
}
