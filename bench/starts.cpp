#include "starts.hpp"

#include <connectid/connectid.hpp>
#include <connectid/version.hpp>

#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "bare_client.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

// As long as a UUID: longer than what a std::string holds without the heap, as real tokens are.
constexpr auto access_token = "3f0c8a52-6f1e-4d55-9d0b-7f2a4c1e9b60";

/// The API reference's example. Without the memory for it there is no benchmark.
// NOLINTNEXTLINE(cert-err58-cpp)
const connectid::StartSubscriptionRequest request{
    .company_code = "468979834",
    .product = "CO27409",
    .start_time = connectid::Timestamp{1560336440000ms},
    .end_time = connectid::Timestamp{1591958840000ms},
    .copies = 1,
    .coupon_code = "WMDigi",
    .coupon_number = 5223,
    .customer_reference = "cvxgds",
};

std::vector<std::string> header_lines(const std::string& call_id) {
  const std::string user_agent = "User-Agent: connectid-cpp/" CONNECTID_VERSION;
  return {"Accept: application/json",
          "Content-Type: application/json",
          user_agent,
          "X-Request-Id: " + call_id,
          std::string("Authorization: Bearer ") + access_token,
          "Accept-Encoding: identity",
          "Expect:"};
}

std::shared_ptr<BareClient> bare_client(const LoopbackServer& server) {
  return std::make_shared<BareClient>(server.url() + "/v1/subscription", server.authority());
}

Start bare_start(const LoopbackServer& server, const std::string& call_id) {
  const auto client = bare_client(server);
  client->prepare(header_lines(call_id), connectid::to_json(request));
  return [client] { return client->post() == 200 && client->response() == R"({"status":"OK"})"; };
}

std::string encoded_by_hand() {
  const nlohmann::ordered_json body = {
      {"companyCode", request.company_code},
      {"product", request.product},
      {"startTime", request.start_time->time_since_epoch().count()},
      {"endTime", request.end_time->time_since_epoch().count()},
      {"copies", *request.copies},
      {"couponCode", request.coupon_code},
      {"couponNumber", *request.coupon_number},
      {"customerReference", request.customer_reference},
  };
  return body.dump();
}

Start start_by_hand(const LoopbackServer& server, const std::string& call_id) {
  const auto client = bare_client(server);
  return [client, call_id] {
    client->prepare(header_lines(call_id), encoded_by_hand());
    if (client->post() != 200) return false;
    const auto response = nlohmann::json::parse(client->response(), nullptr, /*allow_exceptions=*/false);
    return response.is_object() && response.value("status", "") == "OK";
  };
}

Start connectid_start(const LoopbackServer& server, const std::string& call_id) {
  const connectid::SubscriptionClient client({
      .environment = connectid::Environment::custom(server.url(), server.url()),
      .token_source = connectid::static_token(access_token),
      .transport =
          std::make_shared<connectid::http::CurlTransport>(connectid::http::CurlOptions{.ca_pem = server.authority()}),
      .rate_limit = connectid::RateLimit::off(),  // a line to stand in is no cost of a call
  });
  return [client, call_id] { return client.start(request, {.call_id = call_id}).has_value(); };
}

}  // namespace

Start make_start(std::string_view way, const LoopbackServer& server, std::string call_id) {
  static const std::string some_call_id = "01960000-0000-7000-8000-000000000000";
  if (way == "connectid") return connectid_start(server, call_id);  // without an id it makes its own, as users have it
  if (call_id.empty()) call_id = some_call_id;
  if (way == "bare") return bare_start(server, call_id);
  if (way == "by_hand") return start_by_hand(server, call_id);
  throw std::invalid_argument("no such way: " + std::string(way));
}

}  // namespace bench
