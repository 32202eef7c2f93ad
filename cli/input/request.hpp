#pragma once

#include <connectid/subscription/start_subscription.hpp>
#include <optional>
#include <stop_token>

#include "input/options.hpp"

namespace connectid::cli {

/// What a request is made of. Absent: not given. Texts are as given, not parsed yet.
struct RequestArguments {
  std::optional<std::string> json_file;  ///< `-`: standard input
  std::optional<std::string> company_code;
  std::optional<std::string> product;
  std::optional<std::string> start_time;
  std::optional<std::string> end_time;
  std::optional<std::string> start_date;
  std::optional<std::string> end_date;
  std::optional<std::string> zone;
  std::optional<std::string> copies;
  std::optional<std::string> coupon_code;
  std::optional<std::string> coupon_number;
  std::optional<std::string> customer_reference;
  bool copies_as_text = false;
};
/// --json, a flag for each field, and --copies-as-text.
void add_request(CLI::App& command, RequestArguments& to);

/// The request that the JSON and the flags make together; flags win. It is not validated. Nothing where a stop is
/// requested while the JSON is read. Throws UsageError where a file cannot be read, JSON is broken, a field is
/// unknown or has the wrong type, a flag's text is not what it should be, or the system knows no such zone.
[[nodiscard]] std::optional<StartSubscriptionRequest> read_request(const RequestArguments& from,
                                                                   const std::stop_token& stop);

}  // namespace connectid::cli
