// Any bytes as the body of a response: what is taken for a success, and what of it is shown to people.
#include <connectid/subscription/start_subscription.hpp>

#include "base/text.hpp"
#include "call/error_body.hpp"
#include "endpoints/endpoint.hpp"
#include "support/fuzzing.hpp"

namespace connectid::fuzz {
namespace {

using nlohmann::json;

// No letter of it can end an escape: `\xea` before "ccess…" would show what nobody had sent.
const std::string token = "token-of-mine-0123";

void check_start(std::string_view body, const json& parsed) {
  const auto& start = detail::endpoint_of(StartSubscriptionRequest{});
  const detail::Reading reading = detail::decode(start, body);
  if (body.empty() || !reading.reason.empty()) return;
  require(says_started(parsed), "nothing is taken for a success that says otherwise");
  const auto& response = std::any_cast<const StartSubscriptionResponse&>(reading.value);
  require(response.status.value_or("OK") == "OK", "a success has the status OK or none");
  // A success that was truncated is none. A few places stand for all of them.
  for (std::size_t size = body.find_last_of('}'); size > 0; size /= 2) {
    require(!detail::decode(start, body.substr(0, size)).whole_json, "what was truncated is not whole");
  }
}

void check_reading(std::string_view body) {
  const json parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  const bool whole = !parsed.is_discarded() && body.find('\0') == std::string_view::npos;  // there the parser stops
  for (const detail::Endpoint* endpoint : detail::all_endpoints()) {
    const detail::Reading reading = detail::decode(*endpoint, body);
    require(reading.whole_json == whole, "whole JSON is what a JSON parser takes");
    require(body.empty() || whole || !reading.reason.empty(), "what is not JSON is no success");
    require(!whole || parsed.is_object() || !reading.reason.empty(), "what is no object is no success");
  }
  check_start(body, parsed);
}

void check_shown(const std::string& text, std::size_t limit) {
  require(is_printable(text), "what the server said is shown as one printable line");
  require(text.size() <= limit + 3, "what the server said is shown no longer than its limit");
  require(text.find(token) == std::string::npos, "the token is not shown");
}

void check_message(std::string_view body) {
  const ServerMessage message =
      detail::decode_refusal(body, [](std::string text) { return detail::redact(std::move(text), token); }).message;
  check_shown(message.exception_type, 1000);
  check_shown(message.error_message, 1000);
  check_shown(message.body_excerpt, 200);
  const bool said = !message.exception_type.empty() || !message.error_message.empty();
  require(said ? message.body_excerpt.empty() : body.empty() == message.body_excerpt.empty(),
          "the body is shown where it says nothing else, and only there");
}

}  // namespace
}  // namespace connectid::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connectid::fuzz;
  const std::string_view body = text_of(data, size);
  check_reading(body);
  check_message(body);
  return 0;
}
