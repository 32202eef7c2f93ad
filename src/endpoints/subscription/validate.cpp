#include <connectid/subscription/start_subscription.hpp>

#include <string_view>

#include "base/text.hpp"
#include "base/time.hpp"

namespace connectid::inline v0 {
namespace {

using detail::is_control;
using detail::printable;
using detail::take_code_point;

using Violations = std::vector<Violation>;

std::string quoted(std::string_view text) { return std::string("\"").append(printable(text, 60)).append("\""); }

void check_text(Violations& found, const char* field, std::string_view text, std::size_t limit, bool required) {
  const auto report = [&](const char* rule, const std::string& message) {
    found.push_back({field, rule, std::string(field).append(message)});
  };
  if (text.empty()) {
    if (required) report("required", " is required: give 1 to " + std::to_string(limit) + " characters");
    return;
  }
  std::size_t length = 0;
  bool control = false;
  for (std::string_view rest = text; !rest.empty(); ++length) {
    const auto code = take_code_point(rest);
    if (!code) return report("encoding", " must be UTF-8 text, and this is not: " + quoted(text));
    control = control || is_control(*code);
  }
  if (control) report("encoding", " must hold no control characters (such as a line break): " + quoted(text));
  if (length > limit) {
    report("max_length", " must be at most " + std::to_string(limit) + " characters long, and this has " +
                             std::to_string(length) + ": " + quoted(text));
  }
}

void check_number(Violations& found, const char* field, std::optional<std::int64_t> number, std::int64_t least) {
  if (!number) {
    found.push_back(
        {field, "required", std::string(field) + " is required: give " + std::to_string(least) + " or more"});
  } else if (*number < least) {
    found.push_back({field, "range",
                     std::string(field) + " must be " + std::to_string(least) + " or more, and this is " +
                         std::to_string(*number)});
  }
}

/// Whether there is a time that can be sent.
bool check_time(Violations& found, const char* field, std::optional<Timestamp> time, bool required) {
  using namespace std::chrono_literals;
  constexpr Timestamp first = std::chrono::sys_days{2000y / 1 / 1};
  constexpr Timestamp end = std::chrono::sys_days{2200y / 1 / 1};
  if (!time) {
    if (required) {
      found.push_back({field, "required", std::string(field) + " is required: give milliseconds since 1970-01-01 UTC"});
    }
    return false;
  }
  if (*time >= first && *time < end) return true;
  found.push_back({field, "range",
                   std::string(field) +
                       " must lie in the years 2000 to 2199, counted in milliseconds since 1970-01-01 UTC, "
                       "and " +
                       std::to_string(time->time_since_epoch().count()) + " does not: were seconds given?"});
  return false;
}

}  // namespace

std::vector<Violation> validate(const StartSubscriptionRequest& request) {
  Violations found;
  check_text(found, "companyCode", request.company_code, 12, false);
  check_text(found, "product", request.product, 12, true);
  const bool starts = check_time(found, "startTime", request.start_time, true);
  const bool ends = check_time(found, "endTime", request.end_time, false);
  if (starts && ends && *request.end_time <= *request.start_time) {
    found.push_back({"endTime", "order",
                     "endTime must be after startTime (" + detail::utc(*request.start_time) + "), and this is " +
                         detail::utc(*request.end_time)});
  }
  check_number(found, "copies", request.copies, 1);
  check_text(found, "couponCode", request.coupon_code, 12, true);
  check_number(found, "couponNumber", request.coupon_number, 0);
  check_text(found, "customerReference", request.customer_reference, 37, false);
  return found;
}

}  // namespace connectid::inline v0
