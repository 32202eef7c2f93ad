// A web shop's answer to every outcome: what to store, what to tell the customer, what next. (test_your_shop.cpp runs
// it.)

#include <utility>

#include "shop.hpp"

namespace shop {
namespace {

using namespace std::chrono_literals;
using connectid::ErrorKind;
using connectid::Outcome;

constexpr auto log_in = "Please log in again to finish your order.";
constexpr auto later = "We have your order. It starts as soon as we can reach our partner.";
constexpr auto sorry = "This offer cannot be ordered right now. You have not been charged.";
constexpr auto confirming = "We are confirming your order and will write to you. Please do not order again.";
constexpr auto welcome = "Welcome! Your subscription is registered.";

void store(Order& order, State state, const char* for_the_customer, std::string for_the_staff = {}) {
  order.state = state;
  order.for_the_customer = for_the_customer;
  order.for_the_staff = std::move(for_the_staff);
}

// docs: not sent
// Not one byte of the order left: it may be sent again as soon as the cause is gone.
void not_sent(Order& order, const connectid::Error& error) {
  switch (error.kind()) {
    case ErrorKind::validation_error:  // error.get_if<connectid::ValidationError>() names each field
      return store(order, State::refused, sorry, "mend the order: " + error.message());
    case ErrorKind::token_error:
      return store(order, State::waiting, log_in);
    case ErrorKind::configuration_error:
      order.pause = 10min;
      return store(order, State::waiting, later, "mend the configuration: " + error.message());
    default:  // transport_error, deadline_exceeded, cancelled
      order.pause = 1min;
      return store(order, State::waiting, later);
  }
}
// docs: end

// docs: rejected
// The server refused and started nothing. Most refusals come again if the same is sent again.
void rejected(Order& order, const connectid::Error& error) {
  switch (error.kind()) {
    case ErrorKind::rate_limited:
      order.pause = std::chrono::ceil<std::chrono::seconds>(error.retry_after().value_or(1min));
      return store(order, State::waiting, later);
    case ErrorKind::unauthorized:  // the customer's token is no longer good
      return store(order, State::waiting, log_in);
    default:  // bad_request, forbidden, and every other refusal
      return store(order, State::refused, sorry, "find out why: " + error.message());
  }
}
// docs: end

// docs: unknown
// The server may have acted: a second start could be a second subscription, and a second bill.
void unknown(Order& order, const connectid::Error& error) {
  store(order, State::held, confirming, "look whether it started, call " + order.call_id + ": " + error.message());
}
// docs: end

}  // namespace

// docs: every outcome
void place(const connectid::SubscriptionClient& client, Order& order, const Save& save) {
  if (order.state != State::waiting) return;  // started, refused, or nobody knows: not by a program
  order.state = State::sending;
  order.call_id = order.number + '.' + std::to_string(++order.tries);
  order.pause = 0s;
  if (!save(order)) return;  // another worker has it

  // From here on: if the process dies, the order is found `sending`, and that is `held`.
  const auto result = client.start(order.request, {.timeout = 10s, .call_id = order.call_id});
  if (result) {
    store(order, State::active, welcome);
  } else {
    switch (result.error().outcome()) {
      case Outcome::not_sent:
        not_sent(order, result.error());
        break;
      case Outcome::rejected:
        rejected(order, result.error());
        break;
      case Outcome::unknown:
        unknown(order, result.error());
        break;
    }
  }
  save(order);
}
// docs: end

}  // namespace shop
