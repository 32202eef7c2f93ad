#include "commands/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include "input/options.hpp"
#include "output/help.hpp"

namespace connectid::cli {
namespace {

/// The names of all flags, without what they are set to.
std::string flags_in(int argc, const char* const* argv) {
  std::string names;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with('-')) names.append(" ").append(word.substr(0, word.find('=')));
  }
  return names;
}

/// CLI11 would tell of a flag that is unknown; what is wrong is the word before it.
void check_command(const CLI::App& app, const std::string& word) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  const bool known = std::ranges::any_of(commands, [&](const CLI::App* one) { return one->check_name(word); });
  if (known || word.starts_with('-')) return;
  const auto names = CLI::detail::join(
      commands, [](const CLI::App* one) { return one->get_name(); }, ", ");
  throw UsageError((word.empty() ? "a command is missing" : "\"" + word + "\" is no command") + ": the commands are " +
                   names);
}

std::string help_asked_for(const CLI::App& app) {
  const CLI::App* asked = &app;
  while (!asked->get_subcommands().empty()) asked = asked->get_subcommands().front();
  return help(page_of(*asked));
}

}  // namespace

Parsed parse(int argc, const char* const* argv) {
  Parsed parsed;
  CLI::App app;
  define(app, parsed.arguments);
  check_command(app, argc > 1 ? argv[1] : "");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    parsed.text = help_asked_for(app);
  } catch (const CLI::CallForVersion& version) {
    parsed.text = std::string(version.what()) + "\n";
  } catch (const CLI::ExtrasError&) {
    // Not the words themselves: a token may be among them.
    throw UsageError("there is a flag that is unknown, or a word too many:" + flags_in(argc, argv));
  } catch (const CLI::ParseError& error) {
    const std::string what = error.what();
    const bool twice = what.find("ost 1 required") != std::string::npos;  // At Most; from CLI11 2.6 on: At most
    throw UsageError(twice ? what.substr(0, what.find(':')) + " is given more than once" : what);
  }
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
