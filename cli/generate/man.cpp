#include <algorithm>
#include <connectid/version.hpp>

#include "generate/writers.hpp"

namespace connectid::cli {
namespace {

/// A line that roff prints as it stands: a plain minus would become a hyphen, which cannot be pasted into a shell.
std::string escaped(const std::string& text) {
  std::string out = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text) {
    if (c == '-') {
      out += "\\-";
    } else if (c == '\\') {
      out += "\\e";
    } else {
      out += c;
    }
  }
  return out;
}

std::string bold(const std::string& text) { return "\\fB" + escaped(text) + "\\fR"; }

std::string section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : ".SH " + title + "\n" + body;
}

std::string item(const std::string& head, const std::string& text) {
  return ".TP\n" + head + "\n" + escaped(text) + "\n";
}

std::string options(const Page& page) {
  std::string list;
  for (const Flag& flag : page.flags) {
    list += item(bold(joined(flag.names, ", ")) + (flag.value.empty() ? "" : " \\fI" + escaped(flag.value) + "\\fR"),
                 flag.text + ".");
  }
  return list;
}

std::string commands(const Page& page) {
  std::string list;
  for (const Page& command : page.commands) list += item(bold(command.name), command.summary + ".");
  return list;
}

std::string entries(const std::vector<Entry>& entries) {
  std::string list;
  for (const Entry& entry : entries) list += item(bold(entry.name), entry.text);
  return list;
}

std::string exit_status(const Notes& notes) {
  const std::string& rule = notes.rule_for_scripts;
  return entries(notes.statuses) + (rule.empty() ? "" : ".PP\nThe rule for scripts:\n" + escaped(rule) + "\n");
}

std::string example(const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  std::string all = ".nf\n";
  for (const std::string& line : lines) all += escaped(line) + "\n";
  return all + ".fi\n";
}

std::string description(const Notes& notes) {
  std::string all;
  for (const std::string& paragraph : notes.paragraphs) all += ".PP\n" + escaped(paragraph) + "\n";
  return all;
}

std::string see_also(const Page& page) {
  if (page.commands.empty()) return ".BR connectid (1)\n";
  std::string all;
  for (const Page& command : page.commands) {
    const bool last = &command == &page.commands.back();
    all += ".BR " + escaped(man_page_name(command)) + (last ? " (1)\n" : " (1),\n");
  }
  return all;
}

}  // namespace

std::string man_page_name(const Page& page) {
  std::string name = page.name;
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::string man_page(const Page& page) {
  std::string title = man_page_name(page);
  const std::string head = escaped(title) + " \\- " + escaped(page.summary) + "\n";
  std::ranges::transform(title, title.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  // No date: the version says of what the page is. And no hyphenation: a flag must not be broken in two. From
  // groff 1.24 on it would be back with the next paragraph, but for the register HY.
  return ".TH " + escaped(title) + " 1 \"\" \"connectid " CONNECTID_VERSION "\" \"User Commands\"\n.nr HY 0\n.nh\n" +
         section("NAME", head) +
         section("SYNOPSIS", bold(page.name) + command_in_usage(page, "\\fICOMMAND\\fR") + " [\\fIOPTION\\fR]...\n") +
         section("DESCRIPTION", description(page.notes)) + section("COMMANDS", commands(page)) +
         section("OPTIONS", options(page)) + section("ENVIRONMENT", entries(page.notes.variables)) +
         section("EXIT STATUS", exit_status(page.notes)) + section("EXAMPLE", example(page.notes.example)) +
         section("SEE ALSO", see_also(page));
}

}  // namespace connectid::cli
