#include "client/core.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <connectid/http/curl_transport.hpp>

#include "base/product.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "call/blocking_driver.hpp"
#include "call/call_id.hpp"
#include "http/headers.hpp"

namespace connectid::inline v0::detail {
namespace {

/// Set by the SDK in every request.
constexpr std::array<std::string_view, 5> sdks_own = {"Accept", "Content-Encoding", "Content-Type", "User-Agent",
                                                      "X-Request-Id"};

bool is_reserved(std::string_view name) {
  return is_of_the_connection(name) ||
         std::ranges::any_of(sdks_own, [&](std::string_view own) { return equal_ignoring_case(own, name); });
}

/// Why a call with these options cannot be made; empty: it can.
std::string error_in(const CallOptions& options) {
  if (!options.call_id.empty() && (!visible_ascii(options.call_id) || options.call_id.size() > 128)) {
    return "call_id must be 1 to 128 visible ASCII characters";
  }
  for (const http::Header& header : options.headers) {
    if (!well_formed(header)) {
      return "the header \"" + printable(header.name, 60) + "\" has a name or value that HTTP does not allow";
    }
    if (is_reserved(header.name)) {
      return "the header " + header.name + " is the SDK's own and cannot be given";
    }
  }
  return {};
}

/// Why no call can be made with these options; empty: it can.
std::string error_in(const ClientOptions& options, const Url& api, const Url& login) {
  if (!api.error.empty()) return "the API URL " + api.error;
  if (!options.environment.login_url().empty() && !login.error.empty()) return "the login URL " + login.error;
  if (!well_formed({"User-Agent", options.user_agent})) return "user_agent holds a control character";
  return {};
}

}  // namespace

ClientCore::ClientCore(ClientOptions options)
    : options_(std::move(options)),
      api_(parse_url(options_.environment.api_url())),
      error_(error_in(options_, api_, parse_url(options_.environment.login_url()))),
      user_agent_(options_.user_agent.empty() ? product : options_.user_agent + " " + product),
      limiter_(options_.rate_limit),
      budget_(options_.retry_policy.budget),
      breaker_(options_.retry_policy.break_circuit_after) {
  if (!options_.transport) options_.transport = std::make_shared<http::CurlTransport>();
}

Error ClientCore::not_sent(ErrorDetail detail, const std::string& what, CallInfo call) {
  return {Outcome::not_sent, std::move(detail), "not sent: " + what, std::move(call)};
}

http::Request ClientCore::make_request(const Endpoint& endpoint, const void* request, std::string call_id,
                                       const CallOptions& call) const {
  http::Request made{.method = std::string(endpoint.method),
                     .url = api_.text + target(endpoint, request),
                     .headers = {},
                     .authorization = {},
                     .body = body(endpoint, request, options_.copies_as_text)};
  made.headers.reserve(4 + call.headers.size());
  made.headers.push_back({"Accept", "application/json"});
  if (!made.body.empty()) made.headers.push_back({"Content-Type", "application/json"});
  made.headers.push_back({"User-Agent", user_agent_});
  made.headers.push_back({"X-Request-Id", std::move(call_id)});
  made.headers.insert(made.headers.end(), call.headers.begin(), call.headers.end());
  return made;
}

Timeouts ClientCore::timeouts_of(const CallOptions& call) const {
  Timeouts timeouts = call.timeouts.value_or(options_.timeouts);
  timeouts.attempt_timeout = call.attempt_timeout.value_or(timeouts.attempt_timeout);
  timeouts.timeout = call.timeout.value_or(timeouts.timeout);
  return timeouts;
}

std::optional<Error> ClientCore::call(const Endpoint& endpoint, const void* request, void* response,
                                      const CallOptions& options, const TokenSource& clients_own) const {
  const Now began = read_clocks();
  CallInfo call;
  call.call_id = options.call_id;
  if (call.call_id.empty()) call.call_id = make_call_id(began.wall);
  if (!error_.empty()) return not_sent(ConfigurationError{}, error_, call);
  const TokenSource source = options.token_source ? options.token_source : clients_own;
  if (!source) {
    return not_sent(
        ConfigurationError{},
        "token_source is missing: give connectid::static_token(...), connectid::auth::refresh_token_source(...) "
        "or a function of your own",
        call);
  }
  if (std::string why = error_in(options); !why.empty()) {
    call.call_id.clear();  // it may be what is wrong
    return not_sent(ConfigurationError{}, why, call);
  }
  if (auto broken = violations(endpoint, request); !broken.empty()) {
    const std::string what = "the request is not valid: " + sentence(broken);
    return not_sent(ValidationError{std::move(broken)}, what, call);
  }

  const bool safe = endpoint.idempotency == Idempotency::safe;
  const Timeouts timeouts = timeouts_of(options);
  Call prepared{.request = make_request(endpoint, request, std::move(call.call_id), options),
                .read = [&endpoint](std::string_view body) { return decode(endpoint, body); },
                .success_statuses = endpoint.success_statuses,
                .repeat = safe ? Repeat::freely : Repeat::never,
                .timeouts = timeouts,
                .retry = options.retry_policy.value_or(options_.retry_policy)};
  Exchange exchange(std::move(prepared), began);
  Done done =
      run(exchange, {.token_source = source,
                     .api_url = options_.environment.api_url(),
                     .transport = *options_.transport,
                     .journal = safe ? nullptr : options_.journal.get(),
                     .shared = {.limiter = limiter_, .budget = budget_, .breaker = breaker_, .random = random_fraction},
                     .connect_timeout = timeouts.connect,
                     .stop = options.stop_token});
  if (done.error) return *std::move(done.error);
  endpoint.response.take(done.value, response, std::move(done.call));
  return std::nullopt;
}

}  // namespace connectid::inline v0::detail
