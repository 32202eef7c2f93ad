// A request of each endpoint, a field a line, in the order of the reference: its rules, its JSON and its URL.
#include <charconv>

#include "support/endpoint_json.hpp"
#include "support/fuzz_request.hpp"

namespace connectid::fuzz {
namespace {

using detail::Field;
using detail::get;
using detail::Type;

/// None where the line begins with no number.
std::optional<std::int64_t> number(std::string_view line) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

void fill(const Field& field, std::string_view line, void* request) {
  const auto value = number(line);
  if (field.type == Type::text) get<std::string>(field, request) = line;
  if (field.type == Type::integer) get<std::optional<std::int64_t>>(field, request) = value;
  if (field.type == Type::boolean && value) get<std::optional<bool>>(field, request) = *value != 0;
  if (field.type == Type::time && value) {
    get<std::optional<Timestamp>>(field, request) = Timestamp{std::chrono::milliseconds{*value}};
  }
}

void check(const detail::Endpoint& endpoint, std::string_view input) {
  std::any made = endpoint.request.make();
  void* const request = endpoint.request.object(made);
  const auto fields = endpoint.request.fields;
  for (const Field& field : fields) fill(field, &field == &fields.back() ? input : take_line(input), request);
  const auto broken = detail::violations(endpoint, request);
  for (const Violation& violation : broken) {
    require(!violation.field.empty() && !violation.rule.empty() && is_printable(violation.message),
            "a violation has a field, a rule and a printable message");
  }
  const std::string body = detail::body(endpoint, request);
  require(!broken.empty() || body == detail::expected_body(endpoint, request), "JSON is what nlohmann/json writes");
  require(body.empty() || nlohmann::json::parse(body, nullptr, false).is_object(), "what is sent is JSON in any case");
  for (const char c : detail::target(endpoint, request)) require(c > ' ' && c <= '~', "a URL is visible ASCII");
  if (const auto* start = std::any_cast<StartSubscriptionRequest>(&made)) check_request(*start);
}

}  // namespace
}  // namespace connectid::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connectid;
  for (const auto* endpoint : detail::all_endpoints()) fuzz::check(*endpoint, fuzz::text_of(data, size));
  return 0;
}
