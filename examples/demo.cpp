// A tour without the live service: a server on loopback that follows the documented rules, and the real library.

#include <connectid/connectid.hpp>
#include <connectid/testing/fake_server.hpp>

#include <iostream>

namespace {

using namespace std::chrono_literals;
using Result = connectid::Result<connectid::StartSubscriptionResponse>;

/// The example of the API's documentation.
connectid::StartSubscriptionRequest documented_example() {
  return {
      .company_code = "468979834",
      .product = "CO27409",
      .start_time = connectid::Timestamp{1560336440000ms},
      .end_time = connectid::Timestamp{1591958840000ms},
      .copies = 1,
      .coupon_code = "WMDigi",
      .coupon_number = 5223,
      .customer_reference = "cvxgds",
  };
}

bool as_expected = true;

void report(const char* title, const Result& result, const std::string& expected) {
  const std::string word = result ? "started" : std::string(connectid::to_string(result.error().outcome()));
  std::cout << '\n' << title << '\n' << "  word:    " << word << '\n';
  if (result) {
    std::cout << "  status:  " << result->status.value_or("(none)") << "\n  call id: " << result->call.call_id << '\n';
  } else {
    std::cout << "  kind:    " << result.error().kind() << "\n  message: " << result.error().message() << '\n';
  }
  as_expected = as_expected && word == expected;
}

}  // namespace

int main() {
  connectid::testing::FakeServer server;
  std::cout << "fake server: " << server.url() << '\n';
  const connectid::SubscriptionClient client({
      .environment = server.environment(),
      .token_source = connectid::static_token("test-token"),
  });

  report("1. The documentation's example subscription", client.start(documented_example(), {.timeout = 10s}),
         "started");
  for (const auto& stored : server.started()) {
    std::cout << "  at the server: product " << stored.request.product << ", coupon " << stored.request.coupon_code
              << ' ' << stored.request.coupon_number.value_or(-1) << ", reference " << stored.request.customer_reference
              << '\n';
  }

  server.next(connectid::testing::answer(
      400, R"({"exceptionType":"ProductNotFoundException","errorMessage":"No such product: CO27409"})"));
  report("2. The server answers 400", client.start(documented_example()), "rejected");

  connectid::StartSubscriptionRequest slip = documented_example();
  slip.product = "a product code that is too long";
  slip.start_time = connectid::Timestamp{1560336440ms};  // seconds where milliseconds belong
  const std::size_t before = server.bodies_received();
  report("3. A request that is not valid", client.start(slip), "not_sent");
  std::cout << "  bodies at the server: " << server.bodies_received() - before << '\n';

  const std::size_t before_loss = server.bodies_received();
  const std::size_t started_before_loss = server.started().size();
  server.next(connectid::testing::started_but_answer_lost());
  report("4. The server starts it, and the connection is cut before the answer", client.start(documented_example()),
         "unknown");
  const std::size_t bodies = server.bodies_received() - before_loss;
  std::cout << "  bodies at the server: " << bodies
            << ", started there: " << server.started().size() - started_before_loss << '\n';

  as_expected = as_expected && bodies == 1 && server.started().size() == started_before_loss + 1;
  std::cout << '\n' << (as_expected ? "All as it should be." : "NOT as it should be.") << '\n';
  return as_expected ? 0 : 1;
}
