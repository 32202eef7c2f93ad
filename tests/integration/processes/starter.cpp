// starter URL JOURNAL NAME: starts subscriptions from eight threads until it is killed.

#include <connectid/connectid.hpp>

#include <iostream>
#include <string>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  if (argc != 4) return 2;
  const auto journal = connectid::FileJournal::open(argv[2]).value();
  const connectid::SubscriptionClient client({.environment = connectid::Environment::custom(argv[1], argv[1]),
                                              .token_source = connectid::static_token("test-token"),
                                              // Whoever fails stops by itself, and the others must not for it.
                                              .retry_policy = {.connect_for = 0ms, .break_circuit_after = 0},
                                              .rate_limit = connectid::RateLimit::off(),
                                              .journal = journal});
  const auto start_until_it_fails = [&](const std::string& name) {
    for (int i = 0;; ++i) {
      const auto result = client.start({.product = "CO27409",
                                        .start_time = connectid::Timestamp{1774994400000ms},
                                        .copies = 1,
                                        .coupon_code = "WMDigi",
                                        .coupon_number = 5223,
                                        .customer_reference = name + "." + std::to_string(i)});
      if (result) continue;
      std::cerr << name << ": " << result.error() << '\n';
      return;
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back(start_until_it_fails, std::string(argv[3]) + "." + std::to_string(i));
  }
  return 1;
}
