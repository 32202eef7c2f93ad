#include "output/report.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

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

json error_json(const std::string& kind, const std::string& message, const std::vector<Violation>& violations) {
  json error{{"kind", kind}, {"message", message}};
  if (!violations.empty()) {
    error["violations"] = json::array();
    for (const Violation& violation : violations) {
      error["violations"].push_back(
          {{"field", violation.field}, {"rule", violation.rule}, {"message", violation.message}});
    }
  }
  return error;
}

json response_json(const Asked& asked, std::string_view outcome, const CallInfo& call) {
  json response;
  response["outcome"] = outcome;
  response["may_have_started"] = outcome == "unknown";
  response["call_id"] = call.call_id;
  response["http_status"] = call.http_status;
  response["status"] = nullptr;
  response["attempts"] = call.attempts;
  response["api_url"] = asked.api_url;
  response["account"] = nullptr;
  if (!asked.account.empty()) response["account"] = asked.account;
  response["sent_at"] = nullptr;
  if (call.sent_at) response["sent_at"] = utc_for_machines(*call.sent_at);
  response["request"] = nullptr;
  if (asked.request) response["request"] = json::parse(to_json(*asked.request, asked.copies_as_text));
  return response;
}

std::string line(const json& response) { return response.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

// ---- what an unknown outcome means

/// Why no response said what became of it, after "sent …, ".
std::string why_unknown(const Error& error) {
  if (error.kind() == ErrorKind::cancelled) return "cancelled before the response";
  if (error.kind() == ErrorKind::deadline_exceeded) return "no response before the time was up";
  if (error.http_status() != 0)
    return "answered HTTP " + std::to_string(error.http_status()) + " in a way that does not say";
  const auto* failure = error.get_if<TransportError>();
  if (failure && failure->cause == Cause::timed_out) return "no response before the time was up";
  if (failure && failure->cause == Cause::stray_response) return "a response came that was not this request's";
  if (failure && (failure->cause == Cause::malformed || failure->cause == Cause::too_large))
    return "a response that cannot be read";
  return "connection cut before the response";
}

std::string unknown_for_people(const Asked& asked, const Error& error) {
  std::string text = "outcome unknown: sent " + utc_for_people(*error.call().sent_at) + ", " + why_unknown(error) +
                     ". The subscription MAY have started. Do not run this again.\n";
  text +=
      "To find out: list the customer's subscriptions (GET /v1/subscription with the same token), or ask Connect "
      "with\n";
  text += "  product " + asked.request->product;
  if (!asked.request->customer_reference.empty()) text += ", customerReference " + asked.request->customer_reference;
  text += ", X-Request-Id " + error.call().call_id + "\n";
  text += attempts_for_people(error.call()) + "Detail: " + error.message() + "\n";
  return text;
}

std::string next_step(const Asked& asked, const Error& error) {
  if (error.kind() == ErrorKind::forbidden) {
    return "Nothing was started. Ask who gave you the access: this token may not do this.\n";
  }
  switch (status_of(error)) {
    case 2:
      return "Nothing was sent. Mend the input and run it again.\n";
    case 3:
      return "Nothing was started. Running it again unchanged will be refused again.\n";
    case 4:
      if (!asked.account.empty()) {
        return "Nothing was started. Log the account in: `connectid token import` for a customer, `connectid login` "
               "for the client itself.\n";
      }
      return "Nothing was started. Log in (`connectid login`, `connectid token import`), or get a valid access token "
             "for "
             "CONNECTID_ACCESS_TOKEN or the file of CONNECTID_ACCESS_TOKEN_FILE.\n";
    case 5:
      return "Nothing was started. Wait, then run it again.\n";
    default:
      return "Nothing was started. It may be run again.\n";
  }
}

const std::vector<Violation>& violations_of(const Error& error) {
  static const std::vector<Violation> none;
  const auto* invalid = error.get_if<ValidationError>();
  return invalid ? invalid->violations : none;
}

Report report_error(const Asked& asked, const Error& error) {
  Report report{.status = status_of(error)};
  if (asked.output == Output::json) {
    json response = response_json(asked, to_string(error.outcome()), error.call());
    response["error"] = error_json(std::string(to_string(error.kind())), error.message(), violations_of(error));
    report.out = line(response);
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

std::string printable(std::string text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  std::ranges::replace_if(text, control, '?');
  for (std::size_t at = 0; (at = text.find('\xc2', at)) != std::string::npos; ++at) {  // U+0080 to U+009F, as UTF-8
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0) text.replace(at, 2, "?");
  }
  return text;
}

Report report_start(const Asked& asked, const Result<StartSubscriptionResponse>& result) {
  if (!result) return report_error(asked, result.error());
  Report report;
  if (asked.output == Output::json) {
    json response = response_json(asked, "started", result->call);
    if (result->status) response["status"] = *result->status;
    report.out = line(response);
  } else {
    report.out = "started: product " + asked.request->product + ", call " + result->call.call_id + ", at " +
                 asked.api_url + "\n" + attempts_for_people(result->call) + times_for_people(asked);
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
    report.out = to_json(*asked.request, asked.copies_as_text) + "\n" + times_for_people(asked);
  }
  return report;
}

Report report_usage(const Asked& asked, const UsageError& error) {
  const std::string message = printable(error.what());
  Report report{.status = 2};
  if (asked.output == Output::json) {
    json response = response_json(asked, "not_sent", {});
    response["error"] = error_json(error.kind, message, {});
    report.out = line(response);
  } else {
    report.err = "connectid: " + message + "\nNothing was sent. `connectid --help` tells the usage.\n";
  }
  return report;
}

std::string warning(const std::string& what) { return "connectid: warning: " + printable(what) + "\n"; }

Report report_fault(const Asked& asked, const std::string& message) {
  Report report{.status = 1, .err = "connectid: a fault of the program: " + message + "\n"};
  if (asked.output == Output::json) {
    json response = response_json(asked, "unknown", {});
    response["error"] = error_json("internal", message, {});
    report.out = line(response);
  }
  return report;
}

}  // namespace connectid::cli
