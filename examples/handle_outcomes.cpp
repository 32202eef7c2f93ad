// A web shop's response to every outcome: what to store, what to tell the customer, what next. (test_your_shop.cpp runs
// it.)

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "shop.hpp"

namespace shop {
namespace {

using namespace std::chrono_literals;
using connectid::ErrorKind;
using connectid::Outcome;
using Result = connectid::Result<connectid::StartSubscriptionResponse>;

constexpr std::size_t longest_number = 100;

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

// The customer logs in again only where that helps: an authorization server that is down is soon up again.
void without_a_token(Order& order, const connectid::Error& error) {
  const auto* why = error.token_error();
  if (!why || !why->temporary)
    return store(order, State::login, log_in, why && !why->log_in_again ? error.message() : "");
  order.pause = 1min;
  store(order, State::waiting, later);
}

// Not one byte of the order left: it may be sent again as soon as the cause is gone.
void not_sent(Order& order, const connectid::Error& error) {
  switch (error.kind()) {
    case ErrorKind::validation_error:  // error.get_if<connectid::ValidationError>() names each field
      return store(order, State::refused, sorry, "fix the order: " + error.message());
    case ErrorKind::token_error:
      return without_a_token(order, error);
    case ErrorKind::configuration_error:
    case ErrorKind::journal_refused:  // a full disk, perhaps
      order.pause = 10min;
      return store(order, State::waiting, later, "fix the installation: " + error.message());
    case ErrorKind::circuit_open:  // the service is down; it says when a call is let through again
      order.pause = std::chrono::ceil<std::chrono::seconds>(error.retry_after().value_or(1min));
      return store(order, State::waiting, later);
    default:  // transport_error (after repeats of the client's own), deadline_exceeded, cancelled
      order.pause = 1min;
      return store(order, State::waiting, later);
  }
}

// The server refused and started nothing. Most refusals come again if the same is sent again.
void rejected(Order& order, const connectid::Error& error) {
  switch (error.kind()) {
    case ErrorKind::rate_limited:
      order.pause = std::chrono::ceil<std::chrono::seconds>(error.retry_after().value_or(1min));
      return store(order, State::waiting, later);
    case ErrorKind::unauthorized:  // the customer's token is no longer good
      return without_a_token(order, error);
    default:  // bad_request, forbidden, and every other refusal
      return store(order, State::refused, sorry, "find out why: " + error.message());
  }
}

bool fits_in_a_call_id(const std::string& number) {
  const auto visible = [](char c) { return c > ' ' && c <= '~'; };
  return !number.empty() && number.size() <= longest_number && std::ranges::all_of(number, visible);
}

// The server may have acted: a second start could be a second subscription, and a second bill.
void unknown(Order& order, const connectid::Error& error) {
  store(order, State::held, confirming, "verify whether it started, call " + order.call_id + ": " + error.message());
}

// docs: every outcome
void record_result(Order& order, const Result& result) {
  order.sent_at = result ? result->call.sent_at : result.error().call().sent_at;
  if (result) return store(order, State::active, welcome);
  switch (result.error().outcome()) {
    case Outcome::not_sent:
      return not_sent(order, result.error());
    case Outcome::rejected:
      return rejected(order, result.error());
    default:  // unknown
      return unknown(order, result.error());
  }
}
// docs: end

}  // namespace

// docs: before and after
void place(const connectid::SubscriptionClient& client, Order& order, const Save& save) {
  if (order.state != State::waiting) return;  // started, refused, or nobody knows: not by a program
  if (!fits_in_a_call_id(order.number)) {
    store(order, State::refused, sorry, "give the order another number: this one cannot stand in a call id");
    save(order);
    return;
  }

  // From here on: if the process dies, this is what is found, and all that anybody knows. See recover().
  store(order, State::sending, confirming);
  order.call_id = order.number + '.' + std::to_string(++order.tries);
  order.sent_at = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  order.pause = 0s;
  if (!save(order)) return;  // another worker has it

  const Result result = client.start(order.request, {.timeout = 10s, .call_id = order.call_id});
  record_result(order, result);
  if (!save(order)) {  // what became of the call must not be lost: in the log, a person finds it
    throw std::runtime_error("order " + order.number + " was changed during call " + order.call_id + ", which ended " +
                             std::string(result ? "started" : to_string(result.error().outcome())));
  }
}
// docs: end

// docs: after a crash
void recover(Order& order, const Save& save) {
  if (order.state != State::sending) return;
  store(order, State::held, confirming,
        "verify whether it started, call " + order.call_id + ": no response was stored");
  save(order);  // false: its worker lives, and stored what it knows
}
// docs: end

}  // namespace shop
