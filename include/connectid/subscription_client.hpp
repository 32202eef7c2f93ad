#pragma once

#include <memory>
#include <string>

#include <connectid/call.hpp>
#include <connectid/environment.hpp>
#include <connectid/export.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/result.hpp>
#include <connectid/start_subscription.hpp>
#include <connectid/token_source.hpp>

namespace connectid::inline v0 {

/// What a client is made of. Fill it with designated initialisers. What cannot be used does not throw: it is the
/// `configuration_error` of every call.
struct ClientOptions {
  Environment environment = Environment::production();  ///< which service
  TokenSource token_source = nullptr;                   ///< required: without one every call is a `configuration_error`
  std::shared_ptr<http::Transport> transport = nullptr;  ///< none: a CurlTransport with its default options
  std::string user_agent = {};                           ///< put before `connectid-cpp/<version>`: `my-shop/2.1`
  Timeouts timeouts = {};                                ///< for calls that bring none of their own
  bool copies_as_text = false;  ///< send `copies` as `"1"`, as the reference's example does, not as its table says
};

/// The front door. A cheap handle: copies share connections. All methods are const and thread-safe, and none throws.
class CONNECTID_API SubscriptionClient {
 public:
  /// Opens no connection and asks no token yet.
  explicit SubscriptionClient(ClientOptions options);

  /// Starts one subscription, at most once: one attempt, never repeated.
  ///
  /// A value: started. Otherwise `error().outcome()`: `not_sent` (nothing was sent: not valid, no token, no connection,
  /// time up, cancelled), `rejected` (the server refused) or `unknown` (it may have acted: look before starting again).
  /// Blocks for `timeout` at most, and ends within milliseconds of a requested stop.
  [[nodiscard]] Result<StartSubscriptionResponse> start(const StartSubscriptionRequest& request,
                                                        const CallOptions& options = {}) const;

 private:
  struct Core;
  std::shared_ptr<const Core> core_;
};

}  // namespace connectid::inline v0
