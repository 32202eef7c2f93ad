// What the shop of these examples keeps of an order, and its one function that starts a subscription.
#pragma once

#include <connectid/connectid.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace shop {

enum class State {
  waiting,  ///< nothing was started: may be sent
  sending,  ///< written down before the call. Found after a crash: as `held`
  active,   ///< started
  refused,  ///< nothing was started, and nothing will be until somebody changes the order
  held,     ///< may have started: somebody looks; no program sends it again
};

struct Order {
  std::string number = {};
  connectid::StartSubscriptionRequest request = {};
  State state = State::waiting;
  int tries = 0;
  std::string call_id = {};           ///< of the last try: the server got it as X-Request-Id
  std::chrono::seconds pause{0};      ///< while waiting: how long before the next try
  std::string for_the_customer = {};  ///< what the web page says
  std::string for_the_staff = {};     ///< empty: nothing to do
};

/// Stores the order, durably before it returns, if it is still as it was loaded; false where somebody else changed it.
/// (In SQL: `UPDATE … WHERE number = … AND state = …`, and whether that found a row.)
using Save = std::function<bool(const Order&)>;

/// Starts the subscription of an order that is waiting, at most once, and saves before and after. Any other order is
/// left alone.
void place(const connectid::SubscriptionClient& client, Order& order, const Save& save);

}  // namespace shop
