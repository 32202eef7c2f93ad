#include <gtest/gtest.h>

#include <connectid/connectid.hpp>
#include <connectid/testing/fake_server.hpp>

#include <memory>
#include <string>

#include "support/documented_example.hpp"

namespace connectid {
namespace {

using namespace std::chrono_literals;

class ListTest : public ::testing::Test {
 protected:
  [[nodiscard]] SubscriptionClient client_with(std::shared_ptr<Journal> journal = nullptr) const {
    return SubscriptionClient({.environment = server.environment(),
                               .token_source = static_token("test-token"),
                               .retry_policy = {.first_pause = 1ms},
                               .journal = std::move(journal)});
  }

  testing::FakeServer server;
};

TEST_F(ListTest, gives_what_the_customer_started) {
  const SubscriptionClient client = client_with();
  EXPECT_TRUE(client.list().value().subscriptions.empty());
  ASSERT_TRUE(client.start(documented_example));
  const ListSubscriptionsResponse listed = client.list().value();
  ASSERT_EQ(listed.subscriptions.size(), 1U);
  EXPECT_EQ(listed.subscriptions[0].product, documented_example.product);
  EXPECT_EQ(listed.subscriptions[0].start_time, documented_example.start_time);
  EXPECT_EQ(listed.subscriptions[0].end_time, documented_example.end_time);
  EXPECT_EQ(listed.subscriptions[0].price_details->coupon_number, documented_example.coupon_number);
  EXPECT_EQ(listed.call.http_status, 200);
  EXPECT_EQ(listed.call.call_id.size(), 36U);
}

TEST_F(ListTest, is_refused_without_a_token_that_lets_in) {
  EXPECT_EQ(client_with().with(static_token("nobodys-token")).list().error().kind(), ErrorKind::unauthorized);
}

TEST_F(ListTest, sends_a_get_with_its_query_and_neither_body_nor_content_type) {
  const auto result = client_with().list({.subscription_source_fetch_mode = "B2B"});
  ASSERT_TRUE(result) << result.error();
  const testing::ReceivedRequest received = server.received().at(0);
  EXPECT_EQ(received.method, "GET");
  EXPECT_EQ(received.path, "/v1/subscription?subscriptionSourceFetchMode=B2B");
  EXPECT_EQ(received.body, "");
  EXPECT_EQ(http::find(received.headers, "Content-Type"), nullptr);
  EXPECT_EQ(http::find(received.headers, "Content-Length"), nullptr);
}

TEST_F(ListTest, refuses_another_mode_before_anything_is_sent) {
  const auto result = client_with().list({.subscription_source_fetch_mode = "b2b"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::validation_error);
  EXPECT_EQ(result.error().get_if<ValidationError>()->violations[0].message,
            "subscriptionSourceFetchMode must be ORDINARY, B2B or ALL, and this is \"b2b\"");
  EXPECT_TRUE(server.received().empty());
}

/// Says no to everything.
class NoJournal final : public Journal {
 public:
  [[nodiscard]] Result<void> sending(const JournalCall& /*call*/, int /*attempt*/) override {
    return Error(Outcome::not_sent, JournalRefused{}, "no");
  }
  void ended(const JournalCall& /*call*/, Outcome /*outcome*/) override {}
};

TEST_F(ListTest, is_retried_after_a_lost_response_and_written_in_no_journal) {
  server.next(testing::started_but_response_lost());
  server.next(testing::response(500, ""));
  const auto result = client_with(std::make_shared<NoJournal>()).list();
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->call.attempts, 3);
}

TEST_F(ListTest, is_no_success_without_its_list) {
  for (const char* body : {"", "{}", R"({"success":true})", R"({"status":"OK"})", "[]", R"({"subscriptions":null})",
                           R"({"subscriptions":"none"})", R"({"subscriptions":[7]})"}) {
    server.always(testing::response(200, body));
    const auto result = client_with().list();
    ASSERT_FALSE(result) << body;
    EXPECT_EQ(result.error().kind(), ErrorKind::unexpected_response) << body;
  }
}

}  // namespace
}  // namespace connectid
