// What the shop of these examples keeps of an order, and its one function that starts a subscription.
#pragma once

#include <connectid/connectid.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace shop {

enum class State {
  waiting,  ///< nothing was started: may be sent, once its pause is over
  login,    ///< nothing was started; the customer must log in: then, with the new token, it is `waiting` again
  sending,  ///< written down before the call. Found after a crash: recover()
  active,   ///< started
  refused,  ///< nothing was started, and nothing will be until somebody changes the order
  held,     ///< may have started: somebody verifies that; no program sends it again
};

struct Order {
  std::string number = {};  ///< 1 to 100 visible ASCII characters, so no space: it is part of the call id
  connectid::StartSubscriptionRequest request = {};
  State state = State::waiting;
  int tries = 0;
  int version = 0;                                   ///< Save raises it
  std::string call_id = {};                          ///< of the last try: the server got it as X-Request-Id
  std::optional<connectid::Timestamp> sent_at = {};  ///< of the last try; absent where nothing was sent
  std::chrono::seconds pause{0};                     ///< while waiting: how long before the next try
  std::string for_the_customer = {};                 ///< what the web page says
  std::string for_the_staff = {};                    ///< empty: nothing to do
};

/// Stores the order, durably before it returns, if it is still as it was last loaded or saved, and raises its version;
/// false where somebody else changed it. (In SQL: `UPDATE … SET version = version + 1 … WHERE number = … AND version =
/// …`, and whether that found a row.)
using Save = std::function<bool(Order&)>;

/// Starts the subscription of an order that is waiting, at most once, and saves before and after. Any other order is
/// left alone. Throws std::runtime_error where somebody else changed the order during the call: what became of the call
/// is in the message and in `order` and stored nowhere, so a person must get it to read.
void place(const connectid::SubscriptionClient& client, Order& order, const Save& save);

/// An order that a crash left `sending` may have started: it becomes `held`. To be run on every such order whose
/// `sent_at` is older than a call can take (here 10 s).
void recover(Order& order, const Save& save);

}  // namespace shop
