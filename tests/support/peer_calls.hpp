#pragma once

// Many starts at once, and what became of them.

#include <connectid/connectid.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "support/fault_bench.hpp"

namespace connectid::peers {

/// A client with connections of its own, which the tests' token lets in.
inline SubscriptionClient client_of(const std::string& url, const http::CurlOptions& curl = {},
                                    const RetryPolicy& retry_policy = {.max_attempts = 1}) {
  return SubscriptionClient({.environment = Environment::custom(url),
                             .token_source = static_token("test-token"),
                             .transport = std::make_shared<http::CurlTransport>(curl),
                             .retry_policy = retry_policy,
                             .rate_limit = RateLimit::off(),
                             .timeouts = {.timeout = std::chrono::seconds{20}}});
}

/// How often each thing came, from many threads.
class Tally {
 public:
  void add(const std::string& what) {
    const std::scoped_lock lock(mutex_);
    ++counts_[what];
  }
  /// By outcome and kind, with the message where one is given; its numbers do not make two messages of one.
  void add(const Result<StartSubscriptionResponse>& result) {
    if (result) return add("started");
    std::string message;
    for (const char c : result.error().message()) {
      if (c < '0' || c > '9') {
        message += c;
      } else if (!message.ends_with('#')) {
        message += '#';
      }
    }
    add(faults::outcome_of(result) + " / " + faults::kind_of(result) + ": " + message);
  }
  [[nodiscard]] int beginning_with(const std::string& words) const {
    const std::scoped_lock lock(mutex_);
    int sum = 0;
    for (const auto& [what, count] : counts_) sum += what.starts_with(words) ? count : 0;
    return sum;
  }
  friend std::ostream& operator<<(std::ostream& out, const Tally& tally) {
    const std::scoped_lock lock(tally.mutex_);
    for (const auto& [what, count] : tally.counts_) out << "    " << count << " x " << what << '\n';
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, int> counts_;
};

inline void in_threads(int threads, const std::function<void(int)>& work) {
  std::vector<std::jthread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back(work, i);
}

}  // namespace connectid::peers
