#include "input/options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <connectid/local_time.hpp>
#include <connectid/version.hpp>
#include <map>
#include <utility>
#include <vector>

#include "input/settings.hpp"

namespace connectid::cli {
namespace {

using Text = std::optional<std::string>;

/// A flag whose value is missing would take the next flag for it, and buy with that.
std::string no_flag(const std::string& value) {
  if (!value.starts_with("--")) return "";
  // Not what it is set to: that may be a token.
  return "its value is missing: " + value.substr(0, value.find('=')) +
         " is a flag (a text that begins so can be given by --json)";
}

CLI::Option* add(CLI::App& command, const char* name, const std::string& value, Text& to, const char* description) {
  return command.add_option(name, to, description)->type_name(value)->check(CLI::Validator(no_flag, "", ""));
}

void add_request(CLI::App& command, RequestArguments& to) {
  add(command, "--json", "FILE", to.json_file, "Read the fields from this file of JSON (-: standard input); flags win");
  add(command, "--company-code", "TEXT", to.company_code, "companyCode: at most 12 characters");
  add(command, "--product", "TEXT", to.product, "product: 1 to 12 characters");
  auto* start_time = add(command, "--start-time", "TIME", to.start_time,
                         "startTime: epoch milliseconds, or ISO 8601 with Z or an offset");
  auto* end_time =
      add(command, "--end-time", "TIME", to.end_time, "endTime: epoch milliseconds, or ISO 8601 with Z or an offset");
  add(command, "--start-date", "YYYY-MM-DD", to.start_date, "startTime: 00:00 of this day in --zone")
      ->excludes(start_time);
  add(command, "--end-date", "YYYY-MM-DD", to.end_date, "endTime: 23:59:59 of this day in --zone")->excludes(end_time);
  add(command, "--zone", "ZONE", to.zone, "The zone of the dates, an IANA name")
      ->default_str(std::string(norwegian_zone));
  add(command, "--copies", "NUMBER", to.copies, "copies: 1 or more");
  add(command, "--coupon-code", "TEXT", to.coupon_code, "couponCode: 1 to 12 characters");
  add(command, "--coupon-number", "NUMBER", to.coupon_number, "couponNumber: 0 or more");
  add(command, "--customer-reference", "TEXT", to.customer_reference, "customerReference: at most 37 characters");
}

void add_copies_as_text(CLI::App& command, Arguments& to) {
  command.add_flag("--copies-as-text", to.copies_as_text, "Send copies as \"1\", as the reference's example does");
}

void add_output(CLI::App& command, Output& to) {
  const auto set_output = [&to](const std::string& text) {
    if (text != "text" && text != "json") throw UsageError("--output takes text or json, and this is \"" + text + "\"");
    to = text == "json" ? Output::json : Output::text;
  };
  command.add_option_function<std::string>("--output", set_output, "Text for people, or one JSON object")
      ->type_name("text|json")
      ->default_str("text");
}

/// A number and what stands behind it, where it begins with one.
template <typename Number>
std::optional<std::pair<Number, std::string>> number_and_unit(const std::string& text) {
  const char* const end_of_text = text.data() + text.size();
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), end_of_text, number);
  if (error != std::errc()) return std::nullopt;
  return std::pair{number, std::string(end, end_of_text)};
}

/// `30s`, `500ms`, `2m`: a number without a unit is refused, as is a time of nothing.
std::chrono::milliseconds duration(const std::string& text) {
  static const std::map<std::string, std::int64_t> units{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  const auto read = number_and_unit<std::int64_t>(text);
  const auto unit = units.find(read ? read->second : "");
  constexpr std::int64_t longest = 1000;
  if (unit == units.end() || read->first <= 0 || read->first > longest * 3'600'000 / unit->second) {
    throw UsageError("--timeout takes a time such as 30s, 500ms or 2m (at most 1000h), and this is \"" + text + "\"");
  }
  return std::chrono::milliseconds{read->first * unit->second};
}

int attempts(const std::string& text) {
  const auto read = number_and_unit<int>(text);
  if (!read || read->first < 1 || !read->second.empty()) {
    throw UsageError("--max-attempts takes a whole number of 1 or more, and this is \"" + text + "\"");
  }
  return read->first;
}

Rates rates(const std::string& text) {
  const auto read = number_and_unit<double>(text);
  const Rates all;
  const auto within = [&](double most) { return read->first > 0 && read->first <= most; };  // false for no number
  if (read && read->second == "/s" && within(all.per_second)) return {.per_second = read->first};
  if (read && read->second == "/min" && within(all.per_minute)) return {.per_minute = read->first};
  throw UsageError("--rate takes a part of the API's 100/s and 2000/min, such as 10/s or 500/min, and this is \"" +
                   text + "\"");
}

void add_environment(CLI::App& command, Arguments& to) {
  auto* api_url = add(command, "--api-url", "URL", to.api_url, "Base of the API's URLs, before /v1/");
  add(command, "--environment", CLI::detail::join(environment_names(), "|"), to.environment, "Whose service it is")
      ->default_str(environment_names().front())
      ->excludes(api_url);
}

void add_ca_file(CLI::App& command, Arguments& to) {
  add(command, "--ca-file", "FILE", to.ca_file, "Trust only the authorities in this file of PEM, not the system's");
}

void add_account(CLI::App& command, Arguments& to, const char* description) {
  add(command, "--account", "NAME", to.account, description);
}

void add_client(CLI::App& command, Arguments& to) {
  add(command, "--client-id", "ID", to.client_id, "The client that the tokens are for");
}

void add_timeout(CLI::App& command, Arguments& to) {
  const auto set_timeout = [&to](const std::string& text) { to.timeout = duration(text); };
  command
      .add_option_function<std::string>("--timeout", set_timeout, "Time for the whole call, such as 30s, 500ms or 2m")
      ->type_name("TIME")
      ->default_str("2m");
}

void add_max_attempts(CLI::App& command, Arguments& to) {
  const auto set_attempts = [&to](const std::string& text) { to.retry_policy.max_attempts = attempts(text); };
  command
      .add_option_function<std::string>(
          "--max-attempts", set_attempts,
          "How many attempts may leave, those without a connection not counted; 1: nothing is repeated")
      ->type_name("NUMBER")
      ->default_str(std::to_string(RetryPolicy{}.max_attempts));
}

void add_call(CLI::App& command, Arguments& to) {
  add(command, "--call-id", "ID", to.call_id, "Sent as X-Request-Id, to look the call up by; one is made unless given");
  const auto set_rates = [&to](const std::string& text) { to.rates = rates(text); };
  command
      .add_option_function<std::string>("--rate", set_rates,
                                        "What all runs at this rate may take together, such as 500/min or 10/s")
      ->type_name("RATE")
      ->default_str("all");
  add(command, "--journal", "FILE", to.journal, "Write down there what is sent, before it is sent");
}

CLI::App& add_command(CLI::App& app, Arguments& to, Arguments::Command command, const char* name, const char* summary) {
  CLI::App* added = app.add_subcommand(name, summary);
  added->parse_complete_callback([&to, command] { to.command = command; });
  return *added;
}

void define_token(CLI::App& app, Arguments& to) {
  CLI::App* command = app.add_subcommand("token", "Print an access token that is good now, renewed if need be");
  add_account(*command, to, "Whose token; needed where there are several");
  add_environment(*command, to);
  add_ca_file(*command, to);
  add_timeout(*command, to);
  add_max_attempts(*command, to);
  command->add_flag("--show", to.show, "Print it to a terminal, too");
  command->require_subcommand(0, 1);
  // It is complete after what stands below it.
  command->parse_complete_callback([&to, command] {
    if (command->get_subcommands().empty()) to.command = Arguments::Command::token;
  });

  CLI::App& import_command = add_command(*command, to, Arguments::Command::token_import, "import",
                                         "Keep a refresh token, read from standard input");
  add_account(import_command, to, "The name to keep it under");
  add_client(import_command, to);
  add_environment(import_command, to);
}

/// Who is logged in.
void define_accounts(CLI::App& app, Arguments& to) {
  using enum Arguments::Command;
  CLI::App& login_command = add_command(app, to, login, "login", "Get an access token and keep it for other commands");
  login_command.add_flag("--client-credentials", to.client_credentials, "Log in as the client itself");
  add_account(login_command, to, "The name to keep it under; the client id unless given");
  add_client(login_command, to);
  add_environment(login_command, to);
  add_ca_file(login_command, to);
  add_timeout(login_command, to);
  add_max_attempts(login_command, to);

  define_token(app, to);

  CLI::App& accounts_command = add_command(app, to, accounts, "accounts", "List the accounts that are logged in");
  add_output(accounts_command, to.output);

  CLI::App& logout_command = add_command(app, to, logout, "logout", "Forget an account's tokens on this machine");
  add_account(logout_command, to, "Which account; needed where there are several");
}

}  // namespace

void define(CLI::App& app, Arguments& to) {
  using enum Arguments::Command;
  app.name("connectid");
  app.description("Start subscriptions through the Connect / ConnectID API");
  app.set_help_flag("-h,--help", "Print this help");
  app.set_version_flag("--version", "connectid " CONNECTID_VERSION, "Print the version");
  app.require_subcommand(1);

  CLI::App& start_command = add_command(app, to, start, "start", "Start one subscription, at most once");
  add_request(start_command, to.request);
  add_environment(start_command, to);
  add_ca_file(start_command, to);
  add_account(start_command, to, "Whose subscription it is: an account that was logged in");
  add_timeout(start_command, to);
  add_max_attempts(start_command, to);
  add_call(start_command, to);
  add_copies_as_text(start_command, to);
  add_output(start_command, to.output);

  CLI::App& validate_command =
      add_command(app, to, validate, "validate", "Check a request and print the exact body; nothing is sent");
  add_request(validate_command, to.request);
  add_copies_as_text(validate_command, to);
  add_output(validate_command, to.output);

  define_accounts(app, to);

  CLI::App& server_command =
      add_command(app, to, fake_server, "fake-server", "Serve the API's rules on a loopback port, for tests");
  server_command.add_option("--port", to.port, "Port on 127.0.0.1; 0: any free one")
      ->type_name("NUMBER")
      ->check(CLI::Range(0, 65535).description(""))
      ->default_str("0");
}

}  // namespace connectid::cli
