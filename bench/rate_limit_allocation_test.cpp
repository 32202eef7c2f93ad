#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "allocations.hpp"
#include "rate_limit/limiter.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using connectid::RateLimit;

/// How often a reservation asks the heap that goes at once, and one that waits and gives its slot back.
std::size_t allocations_of(const RateLimit& limit) {
  connectid::detail::Limiter limiter(limit);
  const auto now = std::chrono::steady_clock::now();
  const std::size_t before = allocations();
  for (int i = 0; i < 10; ++i) static_cast<void>(connectid::detail::Reservation(limiter).ask(now));
  limiter.learn({1000, 30s}, now);
  return allocations() - before;
}

TEST(Reservations, do_not_ask_the_heap) {
  EXPECT_EQ(allocations_of(RateLimit::off()), 0U);
  EXPECT_EQ(allocations_of(RateLimit::per_client()), 0U);
  EXPECT_EQ(allocations_of(RateLimit::shared()), 0U);
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("connectid-rate-limit-" + std::to_string(getpid()));
  EXPECT_EQ(allocations_of(RateLimit::across_processes(path, {.per_second = 10})), 0U);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace bench
