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
};

json subscription_json(const Subscription& subscription) {
  const auto milliseconds = [](const std::optional<Timestamp>& time) {
    return time ? json(time->time_since_epoch().count()) : json();
  };
  const auto flag = [](const std::optional<bool>& value) { return value ? json(*value) : json(); };
  json one{{"product", subscription.product},
           {"startTime", milliseconds(subscription.start_time)},
           {"endTime", milliseconds(subscription.end_time)},
           {"paid", flag(subscription.paid)},
           {"stopped", flag(subscription.stopped)}};
  if (subscription.price_details) one["couponCode"] = subscription.price_details->coupon_code;
  return one;
}

std::string subscription_line(const Subscription& subscription) {
  std::string line = printable(subscription.product);
  if (subscription.start_time) line += ", from " + utc_for_people(*subscription.start_time);
  if (subscription.end_time) line += ", until " + utc_for_people(*subscription.end_time);
  if (subscription.paid) line += *subscription.paid ? ", paid" : ", not paid";
  return line + (subscription.stopped.value_or(false) ? ", stopped\n" : "\n");
}

Report run(const Arguments& arguments, const Context& context) {
  const auto& [asked, variables, stop] = context;
  std::optional<Caller> caller = choose_caller(arguments.client, variables, stop);
  if (!caller) return report_nothing_changed();
  caller->options.rate_limit = rate_limiting_of(*caller, arguments.client.rates).limit;
  const auto listed = SubscriptionClient(caller->options)
                          .list({.subscription_source_fetch_mode = arguments.mode.value_or("")},
                                {.timeout = arguments.client.limits.timeout, .stop_token = stop});
  Report report = listed ? Report() : report_failed_read(asked, listed.error());
  report.held_until_told = std::make_shared<const TokenSource>(caller->options.token_source);
  if (!listed) return report;
  json all{{"subscriptions", json::array()}};
  for (const Subscription& one : listed->subscriptions) {
    all["subscriptions"].push_back(subscription_json(one));
    if (asked.output == Output::text) report.out += subscription_line(one);
  }
  if (asked.output == Output::json) report.out = all.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  if (listed->subscriptions.empty()) report.err = "no subscriptions\n";
  return report;
}

}  // namespace

Command commands::list(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  add_client_arguments(app, "Whose subscriptions: an account that is logged in", arguments->client);
  add(app, {"--mode", "ORDINARY|B2B|ALL", "Which: the customer's own, those received from firms, or both", "ORDINARY"},
      arguments->mode);
  add_output(app);
  Notes notes{
      .summary = "List a customer's subscriptions",
      .paragraphs = {"Lists what the customer of the access token has. It only reads: use it to verify an unknown "
                     "outcome before you retry.",
                     "With --output json, standard output holds one JSON object: {\"subscriptions\":[...]}, or "
                     "{\"error\":{...}}."},
      .variables = network_variables(),
      .statuses = {{"0", "Listed, even if there is none."},
                   {"1", internal_error},
                   {"2", "Usage or configuration error."},
                   {"3", "Rejected by the API."},
                   {"4", "Not authorised (no token, 401, 403)."},
                   {"5", "Rate-limited to the end (429)."},
                   {"7", "No usable response: no connection, the deadline, a signal, or a server error."}},
      .examples = {"connectid list --environment test --account anna"}};
  return {std::move(notes), [arguments](const Context& context) { return run(*arguments, context); }};
}

}  // namespace connectid::cli
