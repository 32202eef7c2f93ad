#include <connectid/local_time.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "commands/command.hpp"
#include "input/client.hpp"
#include "input/text.hpp"
#include "output/times.hpp"

namespace connectid::cli {
namespace {

using json = nlohmann::ordered_json;

struct Arguments {
  ClientArguments client;
  std::optional<std::string> mode;
  std::optional<std::string> zone;
};

std::string checked_zone(const std::optional<std::string>& zone) {
  if (!zone) return std::string(norwegian_zone);
  if (const auto clock = local_clock(Timestamp{}, *zone); !clock)
    throw UsageError("--zone: " + clock.error().message());
  return *zone;
}

json subscription_json(const Subscription& subscription) {
  const auto milliseconds = [](const std::optional<Timestamp>& time) {
    return time ? json(time->time_since_epoch().count()) : json();
  };
  const auto flag = [](const std::optional<bool>& value) { return value ? json(*value) : json(); };
  const auto text = [](const std::string& value) { return value.empty() ? json() : json(value); };
  const PriceDetails price = subscription.price_details.value_or(PriceDetails{});
  return {{"product", subscription.product},
          {"startTime", milliseconds(subscription.start_time)},
          {"endTime", milliseconds(subscription.end_time)},
          {"paid", flag(subscription.paid)},
          {"stopped", flag(subscription.stopped)},
          {"couponCode", text(price.coupon_code)},
          {"couponNumber", price.coupon_number ? json(*price.coupon_number) : json()},
          {"shareable", flag(subscription.shareable)},
          {"shareType", text(subscription.share_type)},
          {"salesPerson", text(subscription.sales_person)}};
}

std::string subscription_line(const Subscription& subscription, const std::string& zone) {
  bool midnight = false;
  std::string line = printable(subscription.product);
  if (subscription.start_time) line += ", from " + local_for_people(*subscription.start_time, zone, midnight);
  if (subscription.end_time) line += ", until " + local_for_people(*subscription.end_time, zone, midnight);
  if (subscription.paid) line += *subscription.paid ? ", paid" : ", not paid";
  return line + (subscription.stopped.value_or(false) ? ", stopped\n" : "\n");
}

std::string json_line(const ListSubscriptionsResponse& listed) {
  json all{{"call_id", listed.call.call_id}, {"subscriptions", json::array()}};
  for (const Subscription& one : listed.subscriptions) all["subscriptions"].push_back(subscription_json(one));
  return all.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

Report report_listed(const Asked& asked, const ListSubscriptionsResponse& listed) {
  if (asked.output == Output::json) return {.out = json_line(listed)};
  Report report;
  for (const Subscription& one : listed.subscriptions) report.out += subscription_line(one, asked.zone);
  if (listed.subscriptions.empty()) report.err = "no subscriptions\n";
  return report;
}

Report run(const Arguments& arguments, const Context& context) {
  const auto& [asked, variables, stop] = context;
  if (arguments.mode && arguments.mode->empty()) throw UsageError("--mode is empty");
  asked.zone = checked_zone(arguments.zone);
  std::optional<Caller> caller = choose_caller(arguments.client, variables, stop);
  if (!caller) return report_interrupted(asked);
  const RateLimiting rate_limiting = rate_limiting_of(*caller, arguments.client.rates);
  caller->options.rate_limit = rate_limiting.limit;
  const auto listed = SubscriptionClient(caller->options)
                          .list({.subscription_source_fetch_mode = arguments.mode.value_or("")},
                                {.timeout = arguments.client.limits.timeout, .stop_token = stop});
  Report report = listed ? report_listed(asked, *listed) : report_failed_read(asked, listed.error());
  report.held_until_told = std::make_shared<const TokenSource>(caller->options.token_source);
  report.err += warning(rate_limiting);
  return report;
}

}  // namespace

Command commands::list(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  add_client_arguments(app, "Whose subscriptions: an account that is logged in", arguments->client);
  add(app, {"--mode", "ORDINARY|B2B|ALL", "Which: the customer's own, those received from firms, or both", "ORDINARY"},
      arguments->mode);
  add(app, {"--zone", "ZONE", "Time zone of the times in the text, an IANA name", std::string(norwegian_zone)},
      arguments->zone);
  add_output(app);
  Notes notes{
      .summary = "List a customer's subscriptions",
      .paragraphs = {"Lists what the customer of the access token has. It only reads: use it to verify an unknown "
                     "outcome before you retry.",
                     "With --output json, standard output holds one JSON object: {\"subscriptions\":[...]} or "
                     "{\"error\":{...}}, and the call_id of the call. Usage errors are such an object, too."},
      .variables = call_variables(),
      .statuses = {{"0", "Listed, even if there is none."},
                   {"1", internal_error},
                   {"2", "Usage or configuration error."},
                   {"3", "Rejected by the API."},
                   {"4", "Not authorised (no token, 401, 403)."},
                   {"5", std::string("Not listed: ") + still_rate_limited},
                   {"7", "No usable response: no connection, the deadline, a signal, or a server error."}},
      .examples = {"connectid list --environment test --account anna"}};
  return {std::move(notes), [arguments](const Context& context) { return run(*arguments, context); }};
}

}  // namespace connectid::cli
