#include <connectid/subscription/subscription_client.hpp>

#include <utility>

#include "client/core.hpp"

namespace connectid::inline v0 {

SubscriptionClient::SubscriptionClient(ClientOptions options)
    : token_source_(options.token_source), core_(std::make_shared<const detail::ClientCore>(std::move(options))) {}

SubscriptionClient::SubscriptionClient(std::shared_ptr<const detail::ClientCore> core,
                                       TokenSource token_source) noexcept
    : token_source_(std::move(token_source)), core_(std::move(core)) {}

SubscriptionClient SubscriptionClient::with(TokenSource token_source) const { return {core_, std::move(token_source)}; }

std::optional<Error> SubscriptionClient::call(const detail::Endpoint& endpoint, const void* request, void* response,
                                              const CallOptions& options) const {
  const auto core = core_;  // the caller's handles may all go while the call runs
  const TokenSource token_source = token_source_;
  return core->call(endpoint, request, response, options, token_source);
}

}  // namespace connectid::inline v0
