// Starts one subscription and says what became of it.
//
//     CONNECTID_ACCESS_TOKEN=… start_subscription https://api-test.mediaconnect.no/capi

#include <connectid/connectid.hpp>

#include <cstdlib>
#include <iostream>

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  const char* token = std::getenv("CONNECTID_ACCESS_TOKEN");
  if (argc != 2 || !token) {
    std::cerr << "usage: CONNECTID_ACCESS_TOKEN=... start_subscription API_URL\n";
    return 2;
  }

  connectid::SubscriptionClient client({
      .environment = connectid::Environment::custom(argv[1]),  // or ::production(), ::sweden(), ::test()
      .token_source = connectid::static_token(token),
  });

  connectid::StartSubscriptionRequest request{
      .company_code = "468979834",  // optional
      .product = "CO27409",
      .start_time = connectid::Timestamp{1560336440000ms},  // milliseconds since 1970-01-01 UTC
      .end_time = connectid::Timestamp{1591958840000ms},    // optional
      .copies = 1,
      .coupon_code = "WMDigi",
      .coupon_number = 5223,
      .customer_reference = "cvxgds",  // optional
  };

  connectid::Result<connectid::StartSubscriptionResponse> result = client.start(request, {.timeout = 10s});
  if (result) {
    std::cout << "started: " << result->status.value_or("OK") << '\n';
    return 0;
  }
  std::cerr << result.error().message() << '\n';
  switch (result.error().outcome()) {
    case connectid::Outcome::not_sent:
      return 7;  // may be sent again
    case connectid::Outcome::rejected:
      return 3;  // the server refused: nothing was started
    case connectid::Outcome::unknown:
      return 6;  // may have started: look before sending again
  }
  return 1;
}
