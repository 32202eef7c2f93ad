// How a shop tests its own code, without a network: what it does after a 429, after a lost response, and the rest.

#include <gtest/gtest.h>
#include <connectid/testing/fake_server.hpp>
#include <connectid/testing/scripted_transport.hpp>

#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
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

const shop::Save forget = [](Order&) { return true; };

// One row of a database.
struct Row {
  Order stored = {};
  std::vector<Order> saved = {};

  shop::Save save() {
    return [this](Order& now) {
      if (now.version != stored.version) return false;
      ++now.version;
      stored = now;
      saved.push_back(now);
      return true;
    };
  }
};

// docs: a 429
TEST(YourShop, waits_as_long_as_a_429_says) {
  auto wire = std::make_shared<connectid::testing::ScriptedTransport>();  // no sockets: it sends what it is told
  wire->respond(connectid::testing::http_response(429, "", {{"Retry-After", "7"}}));
  connectid::SubscriptionClient client({
      .token_source = connectid::static_token("t"),
      .transport = wire,
      .retry_policy = {.max_attempts = 1},  // else the client itself waits, and sends it again
  });

  Order order = an_order();
  shop::place(client, order, forget);

  EXPECT_EQ(order.state, State::waiting);
  EXPECT_EQ(order.pause, 7s);
  EXPECT_EQ(wire->requests().size(), 1U);
}
// docs: end

TEST(YourShop, hears_nothing_of_a_429_that_the_client_has_waited_for) {
  auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
  wire->respond(connectid::testing::http_response(429, "", {{"Retry-After", "0"}}));
  wire->respond(connectid::testing::http_response(200, R"({"status":"OK"})"));
  connectid::SubscriptionClient client({.token_source = connectid::static_token("t"), .transport = wire});

  Order order = an_order();
  shop::place(client, order, forget);

  EXPECT_EQ(order.state, State::active);
  EXPECT_EQ(wire->requests().size(), 2U);
}

// docs: a lost response
TEST(YourShop, never_sends_an_order_again_whose_response_was_lost) {
  connectid::testing::FakeServer server;  // a real server, on a free port of this machine
  connectid::SubscriptionClient client({
      .environment = server.environment(),
      .token_source = connectid::static_token("test-token"),
  });
  server.next(connectid::testing::started_but_response_lost());

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
  connectid::http::AttemptResult result;
  State state;
  std::chrono::seconds pause;
  bool staff;
  bool sent = true;
  // NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
  friend void PrintTo(const Case& row, std::ostream* out) { *out << row.name; }
};

class AfterEachResponse : public testing::TestWithParam<Case> {};

TEST_P(AfterEachResponse, the_order_is_where_it_belongs) {
  auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
  wire->respond(GetParam().result);
  const connectid::SubscriptionClient client({
      .token_source = connectid::static_token("t"),
      .transport = wire,
      .retry_policy = {.max_attempts = 1},  // else it tries to connect again, which has no response
  });
  Order order = an_order();
  Row row;
  shop::place(client, order, row.save());
  EXPECT_EQ(order.state, GetParam().state);
  EXPECT_EQ(order.pause, GetParam().pause);
  EXPECT_EQ(!order.for_the_staff.empty(), GetParam().staff) << order.for_the_staff;
  EXPECT_FALSE(order.for_the_customer.empty());
  ASSERT_EQ(row.saved.size(), 2U);
  EXPECT_EQ(row.saved.front().state, State::sending);
  EXPECT_EQ(row.stored.state, GetParam().state);
  EXPECT_EQ(row.stored.sent_at.has_value(), GetParam().sent);
}

using connectid::testing::http_response;
INSTANTIATE_TEST_SUITE_P(
    YourShop, AfterEachResponse,
    testing::Values(Case{"started", http_response(200, R"({"status":"OK"})"), State::active, 0s, false},
                    Case{"bad_request", http_response(400, "{}"), State::refused, 0s, true},
                    Case{"unauthorized", http_response(401, "{}"), State::login, 0s, false},
                    Case{"forbidden", http_response(403, R"({"errorMessage":"m"})"), State::refused, 0s, true},
                    Case{"rate_limited", http_response(429, "{}"), State::waiting, 60s, false},
                    Case{"forbidden_by_a_gateway", http_response(403, "<html>"), State::held, 0s, true},
                    Case{"server_error", http_response(500, "{}"), State::held, 0s, true},
                    Case{"not_connected", connectid::http::Failure{.body_left = false}, State::waiting, 60s, false,
                         false},
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
  EXPECT_EQ(logged_out.state, State::login);

  Order refused = an_order();
  shop::place(client(connectid::static_token("another's")), refused, forget);
  EXPECT_EQ(refused.state, State::login);

  // The authorization server is down: at once, or once the API has refused the token.
  for (const bool has_a_token : {false, true}) {
    Order waits = an_order();
    shop::place(client([&](const connectid::TokenRequest& request) -> connectid::Result<connectid::AccessToken> {
                  if (has_a_token && request.refused.empty()) return connectid::AccessToken{"another's"};
                  return connectid::token_error("the authorization server is down", {.temporary = true});
                }),
                waits, forget);
    EXPECT_EQ(waits.state, State::waiting);
    EXPECT_EQ(waits.pause, 60s);
  }

  Order unconfigured = an_order();
  shop::place(client(nullptr), unconfigured, forget);
  EXPECT_EQ(unconfigured.state, State::waiting);
  EXPECT_FALSE(unconfigured.for_the_staff.empty());
  EXPECT_EQ(server.started().size(), 0U);
}

TEST(YourShop, keeps_an_order_that_the_circuit_breaker_kept_back) {
  auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
  wire->respond(http_response(503, ""));
  const connectid::SubscriptionClient client({
      .token_source = connectid::static_token("t"),
      .transport = wire,
      .retry_policy = {.break_circuit_after = 1},
  });
  Order first = an_order();
  shop::place(client, first, forget);
  EXPECT_EQ(first.state, State::held);
  Order second = an_order();
  shop::place(client, second, forget);
  EXPECT_EQ(second.state, State::waiting);
  EXPECT_EQ(second.pause, 1s);
  EXPECT_EQ(wire->requests().size(), 1U);
}

struct FullDisk : connectid::Journal {
  connectid::Result<void> sending(const connectid::JournalCall&, int) override {
    return connectid::Error(connectid::Outcome::not_sent, connectid::JournalRefused{}, "no space left on the disk");
  }
  void ended(const connectid::JournalCall&, connectid::Outcome) override {}
};

TEST(YourShop, keeps_an_order_that_no_journal_took) {
  auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
  const connectid::SubscriptionClient client(
      {.token_source = connectid::static_token("t"), .transport = wire, .journal = std::make_shared<FullDisk>()});
  Order order = an_order();
  shop::place(client, order, forget);
  EXPECT_EQ(order.state, State::waiting);
  EXPECT_FALSE(order.for_the_staff.empty());
  EXPECT_TRUE(wire->requests().empty());
}

TEST(YourShop, sends_nothing_where_another_worker_has_the_order) {
  auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
  const connectid::SubscriptionClient client({.token_source = connectid::static_token("t"), .transport = wire});
  Order order = an_order();
  shop::place(client, order, [](Order&) { return false; });
  EXPECT_TRUE(wire->requests().empty());
}

TEST(YourShop, sends_only_what_is_waiting) {
  for (const State state : {State::login, State::sending, State::active, State::refused, State::held}) {
    auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
    const connectid::SubscriptionClient client({.token_source = connectid::static_token("t"), .transport = wire});
    Order order = an_order();
    order.state = state;
    shop::place(client, order, forget);
    EXPECT_TRUE(wire->requests().empty()) << static_cast<int>(state);
    EXPECT_EQ(order.state, state);
  }
}

// The process dies in the call that follows a 401: what the first save stored is all that is left.
TEST(YourShop, tells_no_customer_to_order_again_while_nobody_knows) {
  auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
  wire->respond(http_response(401, "{}"));
  wire->respond(http_response(200, R"({"status":"OK"})"));
  const connectid::SubscriptionClient client({.token_source = connectid::static_token("t"), .transport = wire});
  Order order = an_order();
  Row row;
  shop::place(client, order, row.save());
  EXPECT_EQ(order.for_the_customer, "Please log in again to finish your order.");
  order.state = State::waiting;  // the customer has logged in
  shop::place(client, order, row.save());

  ASSERT_EQ(row.saved.size(), 4U);
  Order found = row.saved[2];
  EXPECT_EQ(found.state, State::sending);
  EXPECT_EQ(found.for_the_customer, "We are confirming your order and will write to you. Please do not order again.");
  EXPECT_EQ(found.call_id, "1001.2");
  EXPECT_TRUE(found.sent_at);

  row.stored = found;
  shop::recover(found, row.save());
  EXPECT_EQ(row.stored.state, State::held);
  EXPECT_NE(row.stored.for_the_staff.find("call 1001.2"), std::string::npos) << row.stored.for_the_staff;
}

TEST(YourShop, recovers_nothing_that_has_a_response) {
  for (const State state : {State::waiting, State::login, State::active, State::refused, State::held}) {
    Order order = an_order();
    order.state = state;
    Row row;
    shop::recover(order, row.save());
    EXPECT_EQ(order.state, state);
    EXPECT_TRUE(row.saved.empty());
  }
}

TEST(YourShop, does_not_lose_a_response_that_cannot_be_stored) {
  auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
  wire->respond(http_response(200, R"({"status":"OK"})"));
  const connectid::SubscriptionClient client({.token_source = connectid::static_token("t"), .transport = wire});
  Order order = an_order();
  Row row;
  const shop::Save once = [&](Order& now) { return row.saved.empty() && row.save()(now); };
  try {
    shop::place(client, order, once);
    FAIL() << "nothing was said";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "order 1001 was changed during call 1001.1, which ended started");
  }
  EXPECT_EQ(order.state, State::active);
}

TEST(YourShop, refuses_an_order_whose_number_cannot_stand_in_a_call_id) {
  for (const std::string& number :
       {std::string(), std::string("10 01"), std::string("b\xc3\xb8k"), std::string(101, '1')}) {
    auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
    const connectid::SubscriptionClient client({.token_source = connectid::static_token("t"), .transport = wire});
    Order order = an_order();
    order.number = number;
    Row row;
    shop::place(client, order, row.save());
    EXPECT_EQ(row.stored.state, State::refused) << number;
    EXPECT_FALSE(row.stored.for_the_staff.empty());
    EXPECT_TRUE(wire->requests().empty());
  }
}

TEST(YourShop, sends_an_order_with_the_longest_number) {
  auto wire = std::make_shared<connectid::testing::ScriptedTransport>();
  wire->respond(http_response(200, R"({"status":"OK"})"));
  const connectid::SubscriptionClient client({.token_source = connectid::static_token("t"), .transport = wire});
  Order order = an_order();
  order.number = std::string(100, '~');
  shop::place(client, order, forget);
  EXPECT_EQ(order.state, State::active) << order.for_the_staff;
}

}  // namespace
