// How a shop tests its own code, without a network: what it does after a 429, after a lost answer, and the rest.

#include <gtest/gtest.h>
#include <connectid/testing/fake_server.hpp>
#include <connectid/testing/scripted_transport.hpp>

#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include "shop.hpp"

namespace {

using namespace std::chrono_literals;
using shop::Order;
using shop::State;

Order an_order() {
  return {.number = "1001",
          .request = {.product = "CO27409",
                      .start_time = connectid::Timestamp{1774994400000ms},
                      .copies = 1,
                      .coupon_code = "WMDigi",
                      .coupon_number = 5223}};
}

const shop::Save forget = [](const Order&) { return true; };

// docs: a 429
TEST(YourShop, waits_as_long_as_a_429_says) {
  auto wire = std::make_shared<connectid::testing::ScriptedTransport>();  // no sockets: answers what it is told
  wire->reply(connectid::testing::http_answer(429, "", {{"Retry-After", "7"}}));
  connectid::SubscriptionClient client({.token_source = connectid::static_token("t"), .transport = wire});

  Order order = an_order();
  shop::place(client, order, forget);

  EXPECT_EQ(order.state, State::waiting);
  EXPECT_EQ(order.pause, 7s);
  EXPECT_EQ(wire->requests().size(), 1U);
}
// docs: end

// docs: a lost answer
TEST(YourShop, never_sends_an_order_again_whose_answer_was_lost) {
  connectid::testing::FakeServer server;  // a real server, on a free port of this machine
  connectid::SubscriptionClient client({
      .environment = server.environment(),
      .token_source = connectid::static_token("test-token"),
  });
  server.next(connectid::testing::started_but_answer_lost());

  Order order = an_order();
  shop::place(client, order, forget);
  shop::place(client, order, forget);  // the next run of a job that sends what is waiting

  EXPECT_EQ(order.state, State::held);
  EXPECT_EQ(server.bodies_received(), 1U);
  ASSERT_EQ(server.started().size(), 1U);  // it had started
  EXPECT_EQ(server.started().front().call_id, order.call_id);
}
// docs: end

struct Case {
  const char* name;
  connectid::http::Reply reply;
  State state;
  std::chrono::seconds pause;
  bool staff;
  friend void PrintTo(const Case& row, std::ostream* out) { *out << row.name; }
};

class AfterEachAnswer : public testing::TestWithParam<Case> {};

TEST_P(AfterEachAnswer, the_order_is_where_it_belongs) {
  auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
  wire->reply(GetParam().reply);
  const connectid::SubscriptionClient client({.token_source = connectid::static_token("t"), .transport = wire});
  Order order = an_order();
  std::vector<State> saved;
  shop::place(client, order, [&](const Order& now) {
    saved.push_back(now.state);
    return true;
  });
  EXPECT_EQ(order.state, GetParam().state);
  EXPECT_EQ(order.pause, GetParam().pause);
  EXPECT_EQ(!order.for_the_staff.empty(), GetParam().staff) << order.for_the_staff;
  EXPECT_FALSE(order.for_the_customer.empty());
  EXPECT_EQ(saved, (std::vector{State::sending, GetParam().state}));
}

using connectid::testing::http_answer;
INSTANTIATE_TEST_SUITE_P(
    YourShop, AfterEachAnswer,
    testing::Values(Case{"started", http_answer(200, R"({"status":"OK"})"), State::active, 0s, false},
                    Case{"bad_request", http_answer(400, "{}"), State::refused, 0s, true},
                    Case{"unauthorized", http_answer(401, "{}"), State::waiting, 0s, false},
                    Case{"forbidden", http_answer(403, "{}"), State::refused, 0s, true},
                    Case{"rate_limited", http_answer(429, "{}"), State::waiting, 60s, false},
                    Case{"server_error", http_answer(500, "{}"), State::held, 0s, true},
                    Case{"not_connected", connectid::http::Failure{.body_left = false}, State::waiting, 60s, false},
                    Case{"cut", connectid::http::Failure{.body_left = true}, State::held, 0s, true}),
    [](const auto& row) { return row.param.name; });

TEST(YourShop, sends_neither_a_slip_nor_without_token_or_configuration) {
  const connectid::testing::FakeServer server;
  const auto client = [&](connectid::TokenSource tokens) {
    return connectid::SubscriptionClient({.environment = server.environment(), .token_source = std::move(tokens)});
  };
  Order slip = an_order();
  slip.request.product.clear();
  shop::place(client(connectid::static_token("test-token")), slip, forget);
  EXPECT_EQ(slip.state, State::refused);

  Order logged_out = an_order();
  shop::place(client(connectid::static_token("")), logged_out, forget);
  EXPECT_EQ(logged_out.state, State::waiting);
  EXPECT_EQ(logged_out.pause, 0s);

  Order unconfigured = an_order();
  shop::place(client(nullptr), unconfigured, forget);
  EXPECT_EQ(unconfigured.state, State::waiting);
  EXPECT_FALSE(unconfigured.for_the_staff.empty());
  EXPECT_EQ(server.received().size(), 0U);
}

TEST(YourShop, sends_nothing_where_another_worker_has_the_order) {
  auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
  const connectid::SubscriptionClient client({.token_source = connectid::static_token("t"), .transport = wire});
  Order order = an_order();
  shop::place(client, order, [](const Order&) { return false; });
  EXPECT_TRUE(wire->requests().empty());
}

TEST(YourShop, leaves_an_order_alone_that_a_crash_left_behind) {
  auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
  const connectid::SubscriptionClient client({.token_source = connectid::static_token("t"), .transport = wire});
  Order order = an_order();
  order.state = State::sending;
  shop::place(client, order, forget);
  EXPECT_TRUE(wire->requests().empty());
}

}  // namespace
