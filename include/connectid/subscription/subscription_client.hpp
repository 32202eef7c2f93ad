#pragma once

#include <any>
#include <memory>
#include <string>
#include <utility>

#include <connectid/auth/token_source.hpp>
#include <connectid/environment.hpp>
#include <connectid/export.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/journal/journal.hpp>
#include <connectid/options.hpp>
#include <connectid/rate_limit/rate_limit.hpp>
#include <connectid/result.hpp>
#include <connectid/retry_policy.hpp>
#include <connectid/subscription/list_subscriptions.hpp>
#include <connectid/subscription/start_subscription.hpp>

namespace connectid::inline v0 {

/// What a client is made of. Fill it with designated initialisers. What cannot be used does not throw: it is the
/// `configuration_error` of every call.
struct ClientOptions {
  Environment environment = Environment::production();  ///< which service
  TokenSource token_source = nullptr;  ///< for calls that bring none of their own; with neither: `configuration_error`
  std::shared_ptr<http::Transport> transport = nullptr;  ///< none: a CurlTransport with its default options
  RetryPolicy retry_policy = {};                         ///< what is repeated, how often, after which pause
  RateLimit rate_limit = RateLimit::per_client();        ///< keeps the client inside the API's limits
  std::shared_ptr<Journal> journal = nullptr;            ///< writes each call down before it leaves; none: nobody does
  std::string user_agent = {};                           ///< put before `connectid-cpp/<version>`: `my-shop/2.1`
  Timeouts timeouts = {};                                ///< for calls that bring none of their own
  bool copies_as_text = false;  ///< send `copies` as `"1"`, as the reference's example does, not as its table says
};

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
  /// time up, cancelled), `rejected` (the server refused) or `unknown` (it may have acted: look before starting again).
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
  struct Core;
  SubscriptionClient(std::shared_ptr<const Core> core, TokenSource token_source) noexcept;

  /// One call of any endpoint: its response, or an Error.
  [[nodiscard]] std::any call(const detail::Endpoint& endpoint, const void* request, const CallOptions& options) const;
  template <class Response, class Request>
  Result<Response> call(const Request& request, const CallOptions& options) const {
    std::any done = call(detail::endpoint_of(request), &request, options);
    if (const Error* error = std::any_cast<Error>(&done)) return *error;
    return std::any_cast<Response>(std::move(done));
  }

  std::shared_ptr<const Core> core_;
  TokenSource token_source_;
};

}  // namespace connectid::inline v0
