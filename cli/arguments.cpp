#include "arguments.hpp"

#include <CLI/CLI.hpp>
#include <connectid/version.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

namespace connectid::cli {
namespace {

constexpr auto exit_rule =
    "Exit status: 0 started; 2 usage, configuration or not valid; 3 rejected; 4 not authorised; 5 rate-limited; 6 "
    "outcome "
    "unknown; 7 not sent; 1 a fault of the program.\n"
    "The rule for scripts: 0 = started; 2, 3, 4, 5, 7 = not started; 6 and anything else (1, 124, 137, ...) = may have "
    "started: look, do not repeat.";

void add_request(CLI::App& command, RequestArguments& to) {
  command.add_option("--json", to.json_file, "Read the fields from this file of JSON (-: standard input); flags win")
      ->type_name("FILE");
  command.add_option("--company-code", to.company_code, "companyCode: at most 12 characters")->type_name("TEXT");
  command.add_option("--product", to.product, "product: 1 to 12 characters")->type_name("TEXT");
  auto* start_time =
      command
          .add_option("--start-time", to.start_time, "startTime: epoch milliseconds, or ISO 8601 with Z or an offset")
          ->type_name("TIME");
  auto* end_time =
      command.add_option("--end-time", to.end_time, "endTime: epoch milliseconds, or ISO 8601 with Z or an offset")
          ->type_name("TIME");
  command.add_option("--start-date", to.start_date, "startTime: 00:00 of this day in --zone")
      ->type_name("YYYY-MM-DD")
      ->excludes(start_time);
  command.add_option("--end-date", to.end_date, "endTime: 23:59:59 of this day in --zone")
      ->type_name("YYYY-MM-DD")
      ->excludes(end_time);
  command.add_option("--zone", to.zone, "The zone of the dates, an IANA name")
      ->capture_default_str()
      ->type_name("ZONE");
  command.add_option("--copies", to.copies, "copies: 1 or more")->type_name("NUMBER");
  command.add_option("--coupon-code", to.coupon_code, "couponCode: 1 to 12 characters")->type_name("TEXT");
  command.add_option("--coupon-number", to.coupon_number, "couponNumber: 0 or more")->type_name("NUMBER");
  command.add_option("--customer-reference", to.customer_reference, "customerReference: at most 37 characters")
      ->type_name("TEXT");
}

/// `30s`, `500ms`, `2m`: a number without a unit is refused, as is a time of nothing.
std::chrono::milliseconds duration(const std::string& text) {
  static const std::map<std::string, std::int64_t> units{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const auto unit = units.find(std::string(end, text.data() + text.size()));
  constexpr std::int64_t longest = 1000;
  if (error != std::errc() || unit == units.end() || count <= 0 || count > longest * 3'600'000 / unit->second) {
    throw UsageError("--timeout takes a time such as 30s, 500ms or 2m (at most 1000h), and this is \"" + text + "\"");
  }
  return std::chrono::milliseconds{count * unit->second};
}

/// The names of all flags, without what they are set to.
std::string flags_in(int argc, const char* const* argv) {
  std::string names;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with('-')) names.append(" ").append(word.substr(0, word.find('=')));
  }
  return names;
}

}  // namespace

Parsed parse(int argc, const char* const* argv) {
  Parsed parsed;
  Arguments& to = parsed.arguments;
  std::optional<std::string> timeout;

  CLI::App app{"Starts subscriptions through the Connect / ConnectID API, and says truly what became of them.",
               "connectid"};
  app.set_version_flag("--version", "connectid " CONNECTID_VERSION);
  app.set_help_flag("-h,--help", "Print this help");
  app.require_subcommand(1);
  app.footer(exit_rule);
  const std::map<std::string, Output> outputs{{"text", Output::text}, {"json", Output::json}};
  const auto add_output = [&](CLI::App& command) {
    command.add_option("--output", to.output, "text for people, or one JSON object")
        ->transform(CLI::CheckedTransformer(outputs).description(""))
        ->type_name("text|json");
  };

  CLI::App* start = app.add_subcommand("start", "Start one subscription, at most once");
  add_request(*start, to.request);
  auto* api_url = start->add_option("--api-url", to.api_url, "Base of the API's URLs, before /v1/ [CONNECTID_API_URL]")
                      ->type_name("URL");
  start->add_option("--environment", to.environment, "production, sweden or test [CONNECTID_ENVIRONMENT; production]")
      ->type_name("NAME")
      ->excludes(api_url);
  start->add_option("--timeout", timeout, "The whole call's time: 30s, 500ms, 2m [2m]")->type_name("TIME");
  start->add_flag("--copies-as-text", to.copies_as_text, "Send copies as \"1\", as the reference's example does");
  add_output(*start);
  start->footer(
      "The access token comes from CONNECTID_ACCESS_TOKEN.\n"
      "Example:\n"
      "  CONNECTID_ACCESS_TOKEN=... connectid start --environment test --product CO27409 --start-date 2026-04-01 "
      "--copies 1 --coupon-code WMDigi --coupon-number 5223\n" +
      std::string(exit_rule));

  CLI::App* validate = app.add_subcommand("validate", "Check a request and print the exact body; nothing is sent");
  add_request(*validate, to.request);
  validate->add_flag("--copies-as-text", to.copies_as_text, "Send copies as \"1\", as the reference's example does");
  add_output(*validate);
  validate->footer("Example:\n  connectid validate --json order.json\nExit status: 0 valid; 2 not.");

  CLI::App* server = app.add_subcommand("fake-server", "Serve the API's rules on a loopback port, for tests");
  server->add_option("--port", to.port, "Port on 127.0.0.1; 0: any free one")
      ->capture_default_str()
      ->check(CLI::Range(0, 65535));
  server->footer(
      "The first line is \"listening http://127.0.0.1:PORT\". The access token \"test-token\" is let in.\n"
      "GET /__connectid/log answers what was received, as JSON. SIGTERM ends it with status 0.");

  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  const std::string_view word = argc > 1 ? argv[1] : "";
  const bool known =
      std::ranges::any_of(commands, [&](const CLI::App* command) { return command->check_name(std::string(word)); });
  if (!known && !word.starts_with('-')) {
    throw UsageError("\"" + std::string(word) + "\" is no command: the commands are start, validate and fake-server");
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    parsed.text = app.help();
  } catch (const CLI::CallForAllHelp&) {
    parsed.text = app.help("", CLI::AppFormatMode::All);
  } catch (const CLI::CallForVersion& version) {
    parsed.text = std::string(version.what()) + "\n";
  } catch (const CLI::ExtrasError&) {
    // Not the words themselves: a token may be among them.
    throw UsageError("there is a flag that is unknown, or a word too many:" + flags_in(argc, argv));
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  if (parsed.text) return parsed;
  if (*validate) to.command = Arguments::Command::validate;
  if (*server) to.command = Arguments::Command::fake_server;
  if (timeout) to.timeout = duration(*timeout);
  return parsed;
}

Output wanted_output(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--output=json") return Output::json;
    if (word == "--output" && i + 1 < argc && std::string_view(argv[i + 1]) == "json") return Output::json;
  }
  return Output::text;
}

}  // namespace connectid::cli
