#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include <connectid/http/transport.hpp>

namespace connectid::inline v0::testing {

/// A transport without sockets: gives the responses it was told, in order, and remembers what was asked.
///
///     auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
///     wire->respond(connectid::testing::http_response(429, "", {{"Retry-After", "2"}}));
///     connectid::SubscriptionClient client({.token_source = connectid::static_token("t"), .transport = wire});
///
/// A request past the last response gets a Failure that says so (nothing was sent, and it is not tried again).
/// Thread-safe.
class ScriptedTransport final : public http::Transport {
 public:
  /// For the next request that has none yet.
  void respond(http::AttemptResult result);
  /// All that were asked so far, in order; the bearer in them is a Secret.
  [[nodiscard]] std::vector<http::Request> requests() const;

  /// Gives the next response; waits for nothing.
  [[nodiscard]] http::AttemptResult perform(const http::Request& request, const http::Limits& limits) override;

 private:
  mutable std::mutex mutex_;
  std::deque<http::AttemptResult> results_;
  std::vector<http::Request> requests_;
};

/// A whole, framed response.
[[nodiscard]] http::Response http_response(int status, std::string body, http::Headers headers = {});

}  // namespace connectid::inline v0::testing
