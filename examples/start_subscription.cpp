// Starts one subscription and says what became of it.
//
//     CONNECTID_ACCESS_TOKEN=… start_subscription https://api-test.mediaconnect.no/capi

#include <connectid/connectid.hpp>

#include <cstdlib>
#include <iostream>

namespace {

int start(const char* api_url, const char* access_token) {
  using namespace std::chrono_literals;
  // docs: the sample
  connectid::SubscriptionClient client({
      .environment = connectid::Environment::custom(api_url),  // or ::test(), ::production(), ::sweden()
      .token_source = connectid::static_token(access_token),
  });
  connectid::StartSubscriptionRequest request{
      .product = "CO27409",
      .start_time = connectid::local_midnight(2026y / 4 / 1).value(),  // 00:00 in Oslo; throws without zone data
      .copies = 1,
      .coupon_code = "WMDigi",
      .coupon_number = 5223,
      .customer_reference = "order-1001",
  };
  connectid::Result<connectid::StartSubscriptionResponse> result = client.start(request, {.timeout = 10s});
  if (result) {
    std::cout << "started: call " << result->call.call_id << '\n';
  } else {
    std::cerr << result.error() << '\n';
  }
  // docs: end
  if (result) return 0;
  switch (result.error().outcome()) {
    case connectid::Outcome::not_sent:
      return 7;  // may be sent again
    case connectid::Outcome::rejected:
      return 3;  // the server refused: nothing was started
    default:     // unknown
      break;
  }
  return 6;  // may have started: verify before retrying
}

}  // namespace

int main(int argc, char** argv) {
  const char* access_token = std::getenv("CONNECTID_ACCESS_TOKEN");
  if (argc != 2 || !access_token) {
    std::cerr << "usage: CONNECTID_ACCESS_TOKEN=... start_subscription API_URL\n";
    return 2;
  }
  try {
    return start(argv[1], access_token);
  } catch (const connectid::Exception& exception) {  // of value(), so before anything was sent
    std::cerr << exception.error() << '\n';
    return 2;
  }
}
