#include "output/help.hpp"

#include <CLI/CLI.hpp>
#include <sstream>

namespace connectid::cli {
namespace {

constexpr std::size_t width = 80;
constexpr std::size_t column = 30;  ///< where the right half of a list begins

/// Broken between words; each line but the first is indented.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t at) {
  std::istringstream words(text);
  std::string out;
  for (std::string word; words >> word; at += word.size()) {
    if (!out.empty() && at + 1 + word.size() > width) {
      out.append("\n").append(indent, ' ');
      at = indent;
    } else if (!out.empty()) {
      out += ' ';
      ++at;
    }
    out += word;
  }
  return out + "\n";
}

std::string item(const std::string& name, const std::string& text) {
  std::string left = "  " + name;
  if (left.size() + 2 > column) left += '\n' + std::string(column, ' ');
  if (left.size() < column) left.resize(column, ' ');
  return left + wrapped(text, column, column);
}

std::string section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : "\n" + title + ":\n" + body;
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

std::string flags(const CLI::App& command) {
  std::string list;
  for (const CLI::Option* option : command.get_options()) {
    std::string name = CLI::detail::join(names_of(*option), ", ");
    if (option->get_items_expected_max() > 0) name += " " + option->get_type_name();
    std::string text = option->get_description();
    if (!option->get_default_str().empty()) text += " (default: " + option->get_default_str() + ")";
    for (const CLI::Option* other : option->get_excludes()) text += " (not with " + names_of(*other).front() + ")";
    list += item(name, text);
  }
  return list;
}

std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return (parent ? full_name(*parent) + " " : "") + command.get_name();
}

std::string commands(const CLI::App& command) {
  std::string list;
  for (const CLI::App* below : command.get_subcommands([](const CLI::App*) { return true; })) {
    list += item(full_name(*below), below->get_description());
  }
  return list;
}

std::string entries(const Entries& entries) {
  std::string list;
  for (const Entry& entry : entries) list += item(entry.name, entry.text);
  return list;
}

/// The first word of a line that goes on is a `>`, as a shell shows it.
std::string lines(const std::vector<std::string>& examples) {
  std::string all;
  for (bool goes_on = false; const std::string& line : examples) {
    all.append(goes_on ? "  > " : "  $ ").append(line).append("\n");
    goes_on = line.ends_with('\\');
  }
  return all;
}

}  // namespace

std::string help(const CLI::App& command, const Notes& notes) {
  const std::string name = full_name(command);
  const std::string below = commands(command);
  const bool needs_one = command.get_require_subcommand_min() > 0;
  std::string text = name + ": " + notes.summary + "\n\nUsage: " + name;
  if (!below.empty()) text += needs_one ? " COMMAND" : " [COMMAND]";
  text += " [OPTION]...\n";
  for (const std::string& paragraph : notes.paragraphs) text.append("\n").append(wrapped(paragraph, 0, 0));
  const std::string rule = notes.rule_for_scripts.empty() ? "" : wrapped(notes.rule_for_scripts, 0, 0);
  return text + section("Commands", below) + section("Options", flags(command)) +
         section("Environment", entries(notes.variables)) + section("Exit status", entries(notes.statuses)) +
         section("The rule for scripts", rule) + section("Examples", lines(notes.examples));
}

}  // namespace connectid::cli
