#pragma once

#include <string>
#include <vector>

#include "output/notes.hpp"

namespace CLI {
class App;
}

namespace connectid::cli {

[[nodiscard]] std::string joined(const std::vector<std::string>& words, const std::string& between);

struct Flag {
  std::vector<std::string> names;  ///< as they are typed: `-h`, `--help`
  std::string value;               ///< what its value looks like; empty: it takes none
  std::string text;
  std::vector<std::string> excludes;

  [[nodiscard]] bool takes_file() const { return value == "FILE"; }
  /// The words that its value is one of; none where only its user knows.
  [[nodiscard]] std::vector<std::string> choices() const;
};

/// All that is told of one command, as plain data: what the help, the manual page and the completions are made of.
struct Page {
  std::string name;  ///< `connectid token import`
  std::string summary;
  std::vector<Flag> flags;
  std::vector<Page> commands;
  bool needs_command = false;  ///< one of `commands` must follow
  Notes notes = {};

  /// What is typed for it after the program's name.
  [[nodiscard]] std::string word() const { return name.substr(name.find(' ') + 1); }
};

/// What is typed between its name and its options.
[[nodiscard]] inline std::string command_in_usage(const Page& page, const std::string& word) {
  if (page.commands.empty()) return "";
  return page.needs_command ? " " + word : " [" + word + "]";
}

[[nodiscard]] Page page_of(const CLI::App& command);

}  // namespace connectid::cli
