#include "output/report.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

#include "input/text.hpp"
#include "output/times.hpp"

namespace connectid::cli {
namespace {

using json = nlohmann::ordered_json;

std::string times_for_people(const Asked& asked) {
  if (!asked.request || !asked.request->start_time) return {};
  bool midnight = true;
  std::string text = "starts " + local_for_people(*asked.request->start_time, asked.zone, midnight) + "\n";
  if (!midnight) text += "note: that is not midnight there; subscriptions start at 00:00 (--start-date gives that)\n";
  bool ignored = true;
  if (asked.request->end_time) text += "ends " + local_for_people(*asked.request->end_time, asked.zone, ignored) + "\n";
  return text;
}

std::string attempts_for_people(const CallInfo& call) {
  return call.attempts > 1 ? "Attempts: " + std::to_string(call.attempts) + "\n" : "";
}

// ---- JSON

const std::vector<Violation>& violations_of(const Error& error) {
  static const std::vector<Violation> none;
  const auto* invalid = error.get_if<ValidationError>();
  return invalid ? invalid->violations : none;
}

json plain_error(const std::string& kind, const std::string& message) { return {{"kind", kind}, {"message", message}}; }

json result_json(const Asked& asked, std::string_view outcome, const CallInfo& call) {
  json result;
  result["outcome"] = outcome;
  result["may_have_started"] = outcome == "unknown";
  result["call_id"] = call.call_id;
  result["http_status"] = call.http_status;
  result["status"] = nullptr;
  result["attempts"] = call.attempts;
  result["api_url"] = asked.api_url;
  result["account"] = nullptr;
  if (!asked.account.empty()) result["account"] = asked.account;
  result["sent_at"] = nullptr;
  if (call.sent_at) result["sent_at"] = utc_for_machines(*call.sent_at);
  result["request"] = nullptr;
  if (asked.request) result["request"] = json::parse(to_json(*asked.request, asked.copies_as_text));
  return result;
}

/// Of a command that starts nothing, whatever happens.
bool only_reads(const Asked& asked) {
  return asked.command == "list" || asked.command == "token" || asked.command == "accounts";
}

std::string line(const json& result) { return result.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

// ---- what an unknown outcome means

/// Why the result is unknown, after "sent …, ".
std::string why_unknown(const Error& error) {
  if (error.kind() == ErrorKind::cancelled) return "cancelled before the response";
  if (error.kind() == ErrorKind::deadline_exceeded) return "no response before the deadline";
  if (error.http_status() != 0)
    return "the HTTP " + std::to_string(error.http_status()) + " response does not tell the result";
  const auto* failure = error.get_if<TransportError>();
  if (failure && failure->cause == Cause::timed_out) return "no response before the deadline";
  if (failure && failure->cause == Cause::stray_response) return "the response belongs to another request";
  if (failure && (failure->cause == Cause::malformed || failure->cause == Cause::too_large))
    return "the response cannot be read";
  return "connection lost before the response";
}

std::string unknown_for_people(const Asked& asked, const Error& error) {
  std::string text = "outcome unknown: sent " + utc_for_people(*error.call().sent_at) + ", " + why_unknown(error) +
                     ". The subscription MAY have started. Do not run this again.\n";
  text += "To verify: run `connectid list` with the same account or token, or ask Connect about\n";
  text += "  product " + asked.request->product;
  if (!asked.request->customer_reference.empty()) text += ", customerReference " + asked.request->customer_reference;
  text += ", X-Request-Id " + error.call().call_id + "\n";
  text += attempts_for_people(error.call()) + "Detail: " + error.message() + "\n";
  return text;
}

std::string next_step(const Asked& asked, const Error& error) {
  if (error.kind() == ErrorKind::forbidden) {
    return "Nothing was started. This token lacks the permission: ask whoever issued it.\n";
  }
  if (const TokenError* detail = error.token_error()) {
    if (detail->temporary) return "Nothing was started. It may pass: wait, then retry; that is safe.\n";
    if (!detail->log_in_again) return "Nothing was started. Fix what the message says, then retry.\n";
  }
  switch (status_of(error)) {
    case 2:
      return "Nothing was sent. Fix the input and retry.\n";
    case 3:
      return "Nothing was started. The same request will be refused again.\n";
    case 4:
      if (!asked.account.empty()) {
        return "Nothing was started. Log the account in: `connectid token import` for a customer, `connectid login` "
               "for the client itself.\n";
      }
      return "Nothing was started. Log in (`connectid login`, `connectid token import`), or set "
             "CONNECTID_ACCESS_TOKEN or CONNECTID_ACCESS_TOKEN_FILE to a valid access token.\n";
    case 5:
      return "Nothing was started. Wait, then retry.\n";
    default:
      return "Nothing was started. It is safe to retry.\n";
  }
}

Report report_error(const Asked& asked, const Error& error) {
  Report report{.status = status_of(error)};
  if (asked.output == Output::json) {
    json result = result_json(asked, to_string(error.outcome()), error.call());
    result["error"] = error_json(error);
    report.out = line(result);
  } else if (error.outcome() == Outcome::unknown) {
    report.err = unknown_for_people(asked, error);
  } else if (!violations_of(error).empty()) {
    report.err = "not sent: the request is not valid\n";
    for (const Violation& violation : violations_of(error)) report.err += "  " + violation.message + "\n";
    report.err += next_step(asked, error);
  } else {
    report.err = error.message() + "\n" + attempts_for_people(error.call()) + next_step(asked, error);
  }
  return report;
}

}  // namespace

void Asked::take(const RequestArguments& arguments, const std::stop_token& stop) {
  copies_as_text = arguments.copies_as_text;
  zone = arguments.zone.value_or(zone);
  request = read_request(arguments, stop);
}

Output wanted_output(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--output=json") return Output::json;
    if (word == "--output" && i + 1 < argc && std::string_view(argv[i + 1]) == "json") return Output::json;
  }
  return Output::text;
}

json error_json(const Error& error) {
  json described = plain_error(std::string(to_string(error.kind())), error.message());
  for (const Violation& violation : violations_of(error)) {
    described["violations"].push_back(
        {{"field", violation.field}, {"rule", violation.rule}, {"message", violation.message}});
  }
  if (const TokenError* detail = error.token_error()) {
    described["log_in_again"] = detail->log_in_again;
    described["temporary"] = detail->temporary;
  }
  return described;
}

int status_of(const Error& error) {
  if (error.outcome() == Outcome::unknown) return 6;
  switch (error.kind()) {
    case ErrorKind::validation_error:
    case ErrorKind::configuration_error:
      return 2;
    case ErrorKind::token_error:
      return error.get_if<TokenError>()->temporary ? 7 : 4;
    case ErrorKind::unauthorized:
    case ErrorKind::forbidden:
      return 4;
    case ErrorKind::rate_limited:
      return 5;
    default:
      return error.outcome() == Outcome::rejected ? 3 : 7;
  }
}

Report report_start(const Asked& asked, const Result<StartSubscriptionResponse>& started) {
  if (!started) return report_error(asked, started.error());
  Report report;
  if (asked.output == Output::json) {
    json result = result_json(asked, "started", started->call);
    if (started->status) result["status"] = *started->status;
    report.out = line(result);
  } else {
    report.out = "started: product " + asked.request->product + ", call " + started->call.call_id + ", at " +
                 asked.api_url + "\n" + attempts_for_people(started->call) + times_for_people(asked);
  }
  return report;
}

Report report_interrupted(const Asked& asked) {
  const Error error(Outcome::not_sent, Cancelled{Stage::prepare}, "not sent: cancelled before all input was read");
  return only_reads(asked) ? report_failed_read(asked, error) : report_error(asked, error);
}

Report report_nothing_changed() { return {.status = 7, .err = "connectid: cancelled; nothing was changed\n"}; }

Report report_token_error(const Error& error) {
  return {.status = status_of(error), .err = "connectid: " + error.message() + "\n"};
}

Report report_failed_read(const Asked& asked, const Error& error) {
  Report report = report_token_error(error);
  if (error.outcome() == Outcome::unknown) report.status = 7;
  if (asked.output == Output::json) {
    report.err.clear();
    report.out = line({{"call_id", error.call().call_id}, {"error", error_json(error)}});
  }
  return report;
}

Report report_validation(const Asked& asked, const std::vector<Violation>& violations) {
  if (!violations.empty()) {
    return report_error(asked,
                        Error(Outcome::not_sent, ValidationError{violations}, "not sent: the request is not valid"));
  }
  Report report;
  if (asked.output == Output::json) {
    const auto told = [&](const std::optional<Timestamp>& time) {
      bool midnight = true;
      return time ? json(local_for_people(*time, asked.zone, midnight)) : json();
    };
    report.out = line({{"valid", true},
                       {"request", json::parse(to_json(*asked.request, asked.copies_as_text))},
                       {"starts", told(asked.request->start_time)},
                       {"ends", told(asked.request->end_time)}});
  } else {
    report.out = to_json(*asked.request, asked.copies_as_text) + "\n";
    report.err = times_for_people(asked);
  }
  return report;
}

Report report_usage(const Asked& asked, const UsageError& error) {
  const std::string message = printable(error.what());
  Report report{.status = 2};
  if (asked.output == Output::json) {
    json result = only_reads(asked) ? json() : result_json(asked, "not_sent", {});
    result["error"] = plain_error(error.kind, message);
    report.out = line(result);
  } else {
    const std::string command = asked.command.empty() ? "" : " " + asked.command;
    report.err = "connectid: " + message + "\nNothing was sent. See `connectid" + command + " --help`.\n";
  }
  return report;
}

std::string warning(const std::string& what) { return "connectid: warning: " + printable(what) + "\n"; }

std::string warning(const RateLimiting& rate_limiting) {
  const std::string why = rate_limiting.error();
  if (why.empty()) return {};
  return warning(why + "; this run keeps to the API's limits by itself, whatever others on this machine send");
}

Report report_internal_error(const Asked& asked, const std::string& message) {
  Report report{.status = 1, .err = "connectid: internal error: " + message + "\n"};
  if (asked.output == Output::json) {
    json result = only_reads(asked) ? json() : result_json(asked, "unknown", {});
    result["error"] = plain_error("internal", message);
    report.out = line(result);
  }
  return report;
}

}  // namespace connectid::cli
