#pragma once

#include <string>
#include <vector>

namespace connectid::cli {

/// A name and what is told of it: an environment variable, an exit status.
struct Entry {
  std::string name;
  std::string text;
};

/// What is told of a command besides its flags. What is empty is not told of.
struct Notes {
  std::vector<std::string> paragraphs = {};
  std::vector<Entry> variables = {};
  std::vector<Entry> statuses = {};
  std::string rule_for_scripts = {};
  std::vector<std::string> example = {};  ///< lines, as they are typed
};

/// Of a command by its name, or of the program by its own.
[[nodiscard]] Notes notes_on(const std::string& name);

}  // namespace connectid::cli
