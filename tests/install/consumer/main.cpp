// The front door, as someone outside writes it. The request is not valid, so nothing is sent anywhere.
#include <chrono>
#include <connectid/connectid.hpp>
#include <iostream>

#include "../../support/documented_example.hpp"

using namespace std::chrono_literals;

const char* version_seen_by_another_unit();  // second_unit.cpp

int main() {
  connectid::SubscriptionClient client({
      .environment = connectid::Environment::production(),
      .token_source = connectid::static_token("access-token"),
  });

  connectid::StartSubscriptionRequest request = connectid::documented_example;
  request.product.clear();

  connectid::Result<connectid::StartSubscriptionResponse> result = client.start(request, {.timeout = 10s});
  if (result) {
    std::cerr << "started without a product: " << result->status.value_or("started") << '\n';
    return 1;
  }
  const connectid::Error& error = result.error();
  std::cout << "connectid " << version_seen_by_another_unit() << ": " << error.outcome() << ": " << error.message()
            << '\n';
  connectid::auth::FileTokenStore store("no such directory");
  const auto kept = store.load("anna");
  const auto* detail = error.get_if<connectid::ValidationError>();
  const bool as_told = error.outcome() == connectid::Outcome::not_sent &&
                       error.kind() == connectid::ErrorKind::validation_error && detail != nullptr &&
                       detail->violations.size() == 1 && detail->violations.front().field == "product" &&
                       detail->violations.front().rule == "required" && kept && !*kept;
  return as_told ? 0 : 1;
}
