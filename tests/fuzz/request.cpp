// A request, a field a line, in the order of the reference: its rules and its JSON.
#include "support/fuzz_request.hpp"

#include <charconv>

namespace connectid::fuzz {
namespace {

/// None where the line begins with no number.
std::optional<std::int64_t> number(std::string_view line) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<Timestamp> time(std::string_view line) {
  const auto value = number(line);
  return value ? std::optional(Timestamp{std::chrono::milliseconds{*value}}) : std::nullopt;
}

}  // namespace
}  // namespace connectid::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connectid::fuzz;
  std::string_view input = text_of(data, size);
  connectid::StartSubscriptionRequest request;
  request.company_code = take_line(input);
  request.product = take_line(input);
  request.start_time = time(take_line(input));
  request.end_time = time(take_line(input));
  request.copies = number(take_line(input));
  request.coupon_code = take_line(input);
  request.coupon_number = number(take_line(input));
  request.customer_reference = input;  // the rest, with its line feeds
  check_request(request);
  return 0;
}
