#pragma once

#include <optional>
#include <string>

#include <connectid/options.hpp>

#include "call/retry.hpp"
#include "endpoints/endpoint.hpp"
#include "http/url.hpp"
#include "rate_limit/circuit_breaker.hpp"
#include "rate_limit/limiter.hpp"

namespace connectid::inline v0::detail {

/// What the clients of all groups of endpoints are made of: options, what their calls share, and one call of any
/// endpoint. Thread-safe.
class ClientCore {
 public:
  explicit ClientCore(ClientOptions options);

  /// Fills the response, or says why not. `clients_own`: for a call that brings no token source.
  [[nodiscard]] std::optional<Error> call(const Endpoint& endpoint, const void* request, void* response,
                                          const CallOptions& options, const TokenSource& clients_own) const;

 private:
  [[nodiscard]] static Error not_sent(ErrorDetail detail, const std::string& what, CallInfo call);
  [[nodiscard]] http::Request make_request(const Endpoint& endpoint, const void* request, std::string call_id,
                                           const CallOptions& call) const;
  [[nodiscard]] Timeouts timeouts_of(const CallOptions& call) const;

  ClientOptions options_;
  Url api_;
  std::string error_;  ///< why no call can be made; empty: it can
  std::string user_agent_;
  // Thread-safe:
  mutable Limiter limiter_;
  mutable RetryBudget budget_;
  mutable CircuitBreaker breaker_;
};

}  // namespace connectid::inline v0::detail
