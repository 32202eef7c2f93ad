#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <connectid/version.hpp>
#include <map>
#include <string_view>

#include "commands/command.hpp"
#include "output/help.hpp"

namespace connectid::cli {
namespace {

constexpr auto rule_is_in_start =
    "The exit status of connectid start says whether a subscription was started: see connectid start --help.";

Notes program() {
  return {
      .summary = "Start subscriptions through the Connect / ConnectID API",
      .paragraphs = {"A start is a purchase, and the API cannot recognise a repeated one. So each start has exactly "
                     "one outcome: started, not sent, rejected or unknown.",
                     rule_is_in_start, "\"connectid COMMAND --help\" describes each command."},
      .examples = {"connectid start --environment test --json order.json"}};
}

/// The parser, with what each of its commands says and does.
struct CommandLine {
  CLI::App app;
  std::map<const CLI::App*, Command> commands;
};

/// `token import` goes below `token`, which can also stand alone.
void declare(CommandLine& line, const std::string& words, Command (*make)(CLI::App&)) {
  CLI::App* parent = &line.app;
  const std::size_t space = words.find(' ');
  if (space != std::string::npos) parent = parent->get_subcommand(words.substr(0, space))->require_subcommand(0, 1);
  CLI::App* const app = parent->add_subcommand(words.substr(space + 1));  // npos + 1 is 0
  const Command& command = line.commands[app] = make(*app);
  app->description(command.notes.summary);
}

void declare_all(CommandLine& line) {
  line.app.name("connectid");
  line.app.set_help_flag("-h,--help", "Print this help");
  line.app.set_version_flag("--version", "connectid " CONNECTID_VERSION, "Print the version");
  line.app.require_subcommand(1);
  line.commands[&line.app] = {program(), nullptr};
#define COMMAND(name, words) declare(line, words, commands::name);
#include "commands/commands.inc"
#undef COMMAND
}

/// A flag without its value, which may be a secret.
std::string flag_name(const std::string& word) { return word.substr(0, word.find('=')); }

/// CLI11 would report an unknown flag; what is wrong is the word before it.
void check_command(const CLI::App& app, const std::string& word) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  const bool known = std::ranges::any_of(commands, [&](const CLI::App* one) { return one->check_name(word); });
  const bool flag = word.starts_with('-');
  if (known || (flag && app.get_option_no_throw(flag_name(word)))) return;
  if (flag) throw UsageError("unknown flag " + flag_name(word) + " before a command");
  const auto names = CLI::detail::join(
      commands, [](const CLI::App* one) { return one->get_name(); }, ", ");
  throw UsageError((word.empty() ? "a command is missing" : "unknown command \"" + word + "\"") +
                   ": the commands are " + names);
}

/// A word is quoted only if it cannot be a token.
std::string unexpected(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining(true);
  const auto flag = std::ranges::find_if(extras, [](const std::string& word) { return word.starts_with('-'); });
  if (flag != extras.end()) return "unknown flag " + flag_name(*flag);
  constexpr std::size_t longest = 12;
  const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
  const bool plain = !extras.empty() && extras[0].size() <= longest && std::ranges::all_of(extras[0], is_letter);
  return plain ? "unexpected argument \"" + extras[0] + "\"" : "unexpected argument (not shown: it may be a secret)";
}

}  // namespace

std::string command_in(int argc, const char* const* argv) {
  std::string line;
  for (int i = 1; i < argc; ++i) line.append(argv[i]).append(" ");
  std::string found;
#define COMMAND(name, words) \
  if (line.starts_with(words " ")) found = words;
#include "commands/commands.inc"
#undef COMMAND
  return found;
}

Parsed parse(int argc, const char* const* argv) {
  CommandLine line;
  declare_all(line);
  check_command(line.app, argc > 1 ? argv[1] : "");
  const auto asked = [&line] {
    const CLI::App* app = &line.app;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return app;
  };
  try {
    line.app.parse(argc, argv);
    return {.text = {}, .run = line.commands.at(asked()).run};
  } catch (const CLI::CallForHelp&) {
    return {.text = help(*asked(), line.commands.at(asked()).notes), .run = {}};
  } catch (const CLI::CallForVersion& version) {
    return {.text = std::string(version.what()) + "\n", .run = {}};
  } catch (const CLI::ExtrasError&) {
    throw UsageError(unexpected(line.app));
  } catch (const CLI::ExcludesError& error) {
    const std::string what = error.what();
    const std::string between = " excludes ";
    const std::size_t at = what.find(between);
    if (at == std::string::npos) throw UsageError(what);
    throw UsageError("give only one of " + what.substr(0, at) + " and " + what.substr(at + between.size()));
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string what = error.what();
    const bool twice = what.find("ost 1 required") != std::string::npos;  // At Most; from CLI11 2.6 on: At most
    throw UsageError(what.substr(0, what.find(':')) + (twice ? " is given more than once" : ": its value is missing"));
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
}

}  // namespace connectid::cli
