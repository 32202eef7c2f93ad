#include <connectid/subscription/subscription_client.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <connectid/http/curl_transport.hpp>

#include "base/product.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "call/blocking_driver.hpp"
#include "call/call_id.hpp"
#include "endpoints/endpoint.hpp"
#include "http/headers.hpp"
#include "http/url.hpp"

namespace connectid::inline v0 {
namespace {

using detail::Endpoint;
using detail::Now;
using detail::product;

/// Set by the SDK in every request.
constexpr std::array<std::string_view, 5> sdks_own = {"Accept", "Content-Encoding", "Content-Type", "User-Agent",
                                                      "X-Request-Id"};

bool is_reserved(std::string_view name) {
  return detail::is_of_the_connection(name) ||
         std::ranges::any_of(sdks_own, [&](std::string_view own) { return detail::equal_ignoring_case(own, name); });
}

/// Why a call with these options cannot be made; empty: it can.
std::string error_in(const CallOptions& options) {
  if (!options.call_id.empty() && (!detail::visible_ascii(options.call_id) || options.call_id.size() > 128)) {
    return "call_id must be 1 to 128 visible ASCII characters";
  }
  for (const http::Header& header : options.headers) {
    if (!detail::well_formed(header)) {
      return "the header \"" + detail::printable(header.name, 60) + "\" has a name or value that HTTP does not allow";
    }
    if (is_reserved(header.name)) {
      return "the header " + header.name + " is the SDK's own and cannot be given";
    }
  }
  return {};
}

/// Why no call can be made with these options; empty: it can.
std::string error_in(const ClientOptions& options, const detail::Url& api, const detail::Url& login) {
  if (!api.error.empty()) return "the API URL " + api.error;
  if (!options.environment.login_url().empty() && !login.error.empty()) return "the login URL " + login.error;
  if (!detail::well_formed({"User-Agent", options.user_agent})) return "user_agent holds a control character";
  return {};
}

std::string sentence(const std::vector<Violation>& violations) {
  std::string text = "the request is not valid: ";
  for (const Violation& violation : violations) {
    if (&violation != &violations.front()) text += "; ";
    text += violation.message;
  }
  return text;
}

}  // namespace

struct SubscriptionClient::Core {
  Core(ClientOptions given, detail::Url url, std::string why)
      : options(std::move(given)),
        api(std::move(url)),
        error(std::move(why)),
        user_agent(options.user_agent.empty() ? product : options.user_agent + " " + product),
        limiter(options.rate_limit),
        budget(options.retry_policy.budget),
        breaker(options.retry_policy.break_circuit_after) {
    if (!options.transport) options.transport = std::make_shared<http::CurlTransport>();
  }

  ClientOptions options;
  detail::Url api;
  std::string error;  ///< why no call can be made; empty: it can
  std::string user_agent;
  // Thread-safe:
  mutable detail::Limiter limiter;
  mutable detail::RetryBudget budget;
  mutable detail::CircuitBreaker breaker;

  Error not_sent(ErrorDetail detail, const std::string& what, CallInfo call) const {
    return {Outcome::not_sent, std::move(detail), "not sent: " + what, std::move(call)};
  }

  http::Request make_request(const Endpoint& endpoint, const void* request, std::string call_id,
                             const CallOptions& call) const {
    http::Request made{.method = std::string(endpoint.method),
                       .url = api.text + detail::target(endpoint, request),
                       .headers = {},
                       .authorization = {},
                       .body = detail::body(endpoint, request, options.copies_as_text)};
    made.headers.reserve(4 + call.headers.size());
    made.headers.push_back({"Accept", "application/json"});
    if (!made.body.empty()) made.headers.push_back({"Content-Type", "application/json"});
    made.headers.push_back({"User-Agent", user_agent});
    made.headers.push_back({"X-Request-Id", std::move(call_id)});
    made.headers.insert(made.headers.end(), call.headers.begin(), call.headers.end());
    return made;
  }

  Timeouts timeouts_of(const CallOptions& call) const {
    Timeouts timeouts = call.timeouts.value_or(options.timeouts);
    timeouts.attempt_timeout = call.attempt_timeout.value_or(timeouts.attempt_timeout);
    timeouts.timeout = call.timeout.value_or(timeouts.timeout);
    return timeouts;
  }
};

SubscriptionClient::SubscriptionClient(ClientOptions options) {
  detail::Url api = detail::parse_url(options.environment.api_url());
  std::string error = error_in(options, api, detail::parse_url(options.environment.login_url()));
  token_source_ = options.token_source;
  core_ = std::make_shared<const Core>(std::move(options), std::move(api), std::move(error));
}

SubscriptionClient::SubscriptionClient(std::shared_ptr<const Core> core, TokenSource token_source) noexcept
    : core_(std::move(core)), token_source_(std::move(token_source)) {}

SubscriptionClient SubscriptionClient::with(TokenSource token_source) const { return {core_, std::move(token_source)}; }

std::any SubscriptionClient::call(const Endpoint& endpoint, const void* request, const CallOptions& options) const {
  const auto core = core_;  // the caller's handles may all go while the call runs
  const Now began = detail::read_clocks();
  CallInfo call;
  call.call_id = options.call_id;
  if (call.call_id.empty()) call.call_id = detail::make_call_id(began.wall);
  if (!core->error.empty()) return core->not_sent(ConfigurationError{}, core->error, call);
  const TokenSource source = options.token_source ? options.token_source : token_source_;
  if (!source) {
    return core->not_sent(
        ConfigurationError{},
        "token_source is missing: give connectid::static_token(...), connectid::auth::refresh_token_source(...) "
        "or a function of your own",
        call);
  }
  if (std::string why = error_in(options); !why.empty()) {
    call.call_id.clear();  // it may be what is wrong
    return core->not_sent(ConfigurationError{}, why, call);
  }
  if (auto violations = detail::violations(endpoint, request); !violations.empty()) {
    std::string what = sentence(violations);
    return core->not_sent(ValidationError{std::move(violations)}, what, call);
  }

  const bool safe = endpoint.idempotency == detail::Idempotency::safe;
  const Timeouts timeouts = core->timeouts_of(options);
  detail::Call prepared{
      .request = core->make_request(endpoint, request, std::move(call.call_id), options),
      .read = [&endpoint](std::string_view body) { return detail::decode(endpoint, body); },
      .success_statuses = endpoint.success_statuses,
      .repeat = safe ? detail::Repeat::freely : detail::Repeat::never,
      .timeouts = timeouts,
      .retry = options.retry_policy.value_or(core->options.retry_policy)};
  detail::Exchange exchange(std::move(prepared), began);
  detail::Done done = detail::run(exchange, {.token_source = source,
                                             .api_url = core->options.environment.api_url(),
                                             .transport = *core->options.transport,
                                             .journal = safe ? nullptr : core->options.journal.get(),
                                             .shared = {.limiter = core->limiter,
                                                        .budget = core->budget,
                                                        .breaker = core->breaker,
                                                        .random = detail::random_fraction},
                                             .connect_timeout = timeouts.connect,
                                             .stop = options.stop_token});
  if (done.error) return *std::move(done.error);
  *endpoint.response.call(done.value) = std::move(done.call);
  return std::move(done.value);
}

}  // namespace connectid::inline v0
