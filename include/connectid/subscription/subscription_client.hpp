#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <connectid/auth/token_source.hpp>
#include <connectid/export.hpp>
#include <connectid/options.hpp>
#include <connectid/result.hpp>
#include <connectid/subscription/list_subscriptions.hpp>
#include <connectid/subscription/start_subscription.hpp>

namespace connectid::inline v0 {

namespace detail {
class ClientCore;
}

/// The front door. A cheap handle: copies share connections. All methods are const and thread-safe, and none throws.
/// (Where the memory is exhausted, `std::bad_alloc` ends a call. It may have acted; a journal has it in flight.)
class CONNECTID_API SubscriptionClient {
 public:
  /// Opens no connection and asks no token yet.
  explicit SubscriptionClient(ClientOptions options);

  /// Starts one subscription, at most once. What never reached the server, or was refused for now, is sent again as the
  /// RetryPolicy says; what may have acted is not.
  ///
  /// A value: started. Otherwise `error().outcome()`: `not_sent` (nothing was sent: not valid, no token, no connection,
  /// time up, cancelled), `rejected` (the server refused) or `unknown` (it may have acted: verify before retrying).
  /// Blocks for `timeout` at most, pauses included, and ends within milliseconds of a requested stop. (A token source
  /// or a journal that blocks for longer makes it longer.)
  [[nodiscard]] Result<StartSubscriptionResponse> start(const StartSubscriptionRequest& request,
                                                        const CallOptions& options = {}) const {
    return call<StartSubscriptionResponse>(request, options);
  }

  /// The customer's subscriptions. It only reads: it is retried freely, and written in no journal.
  [[nodiscard]] Result<ListSubscriptionsResponse> list(const ListSubscriptionsRequest& request = {},
                                                       const CallOptions& options = {}) const {
    return call<ListSubscriptionsResponse>(request, options);
  }

  /// A handle for another customer: on the same connections, inside the same limits, with tokens from `token_source`.
  [[nodiscard]] SubscriptionClient with(TokenSource token_source) const;

 private:
  SubscriptionClient(std::shared_ptr<const detail::ClientCore> core, TokenSource token_source) noexcept;

  /// One call of any endpoint: fills the response, or says why not.
  [[nodiscard]] std::optional<Error> call(const detail::Endpoint& endpoint, const void* request, void* response,
                                          const CallOptions& options) const;
  template <class Response, class Request>
  Result<Response> call(const Request& request, const CallOptions& options) const {
    Response response;
    if (auto error = call(detail::endpoint_of(request), &request, &response, options)) return *std::move(error);
    return response;
  }

  TokenSource token_source_;
  std::shared_ptr<const detail::ClientCore> core_;
};

}  // namespace connectid::inline v0
