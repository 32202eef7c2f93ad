#include "output/help.hpp"

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

std::string flags(const Page& page) {
  std::string list;
  for (const Flag& flag : page.flags) {
    list += item(joined(flag.names, ", ") + (flag.value.empty() ? "" : " " + flag.value), flag.text);
  }
  return list;
}

std::string commands(const Page& page) {
  std::string list;
  for (const Page& command : page.commands) list += item(command.name, command.summary);
  return list;
}

std::string entries(const std::vector<Entry>& entries) {
  std::string list;
  for (const Entry& entry : entries) list += item(entry.name, entry.text);
  return list;
}

std::string lines(const std::vector<std::string>& example) {
  std::string all;
  for (const std::string& line : example) all += "  " + line + "\n";
  return all;
}

}  // namespace

std::string help(const Page& page) {
  std::string text = page.name + ": " + page.summary + "\n\nUsage: " + page.name + command_in_usage(page, "COMMAND") +
                     " [OPTION]...\n";
  for (const std::string& paragraph : page.notes.paragraphs) text.append("\n").append(wrapped(paragraph, 0, 0));
  const std::string rule = page.notes.rule_for_scripts.empty() ? "" : wrapped(page.notes.rule_for_scripts, 0, 0);
  return text + section("Commands", commands(page)) + section("Options", flags(page)) +
         section("Environment", entries(page.notes.variables)) + section("Exit status", entries(page.notes.statuses)) +
         section("The rule for scripts", rule) + section("Example", lines(page.notes.example));
}

}  // namespace connectid::cli
