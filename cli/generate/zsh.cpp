#include <connectid/version.hpp>

#include "generate/writers.hpp"

namespace connectid::cli {
namespace {

/// Within single quotes, where `_arguments` would also take brackets and colons for its own.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out;
}

/// What stands after the flag's description: `:message:action`.
std::string value_of(const Flag& flag) {
  if (flag.value.empty()) return {};
  std::string action = " ";
  if (flag.takes_file()) action = "_files";
  const std::string words = joined(flag.choices(), " ");
  if (!words.empty()) action = "(" + words + ")";
  const std::string message = escaped(flag.value);
  return ":" + message + ":" + action;
}

/// One specification a name, each of which excludes itself and its like.
std::string specifications(const Page& page, const std::string& indent) {
  std::string all;
  for (const Flag& flag : page.flags) {
    std::vector<std::string> excluded = flag.names;
    excluded.insert(excluded.end(), flag.excludes.begin(), flag.excludes.end());
    std::string told = "[";
    told.append(escaped(flag.text)).append("]").append(value_of(flag)).append("'");
    for (const std::string& name : flag.names) {
      const bool assigned = !flag.value.empty() && name.starts_with("--");
      all.append(" \\\n").append(indent).append("'(").append(joined(excluded, " ")).append(")");
      all.append(name).append(assigned ? "=" : "").append(told);
    }
  }
  return all;
}

std::string last_outcome(const Page& page) { return page.name.substr(page.name.rfind(' ') + 1); }

/// What follows a command: its options, and the commands below it with theirs.
std::string arguments_of(const Page& page, const std::string& indent) {
  std::string first_words;
  std::string below;
  for (const Page& command : page.commands) {
    first_words.append(first_words.empty() ? "" : " ").append(last_outcome(command));
    below.append(indent)
        .append("if [[ $words[2] == ")
        .append(last_outcome(command))
        .append(" ]] && ((CURRENT > 2)); then\n");
    below.append(indent).append("  shift words; ((CURRENT--))\n").append(arguments_of(command, indent + "  "));
    below.append(indent).append("  return\n").append(indent).append("fi\n");
  }
  const std::string choice = first_words.empty() ? "" : " \\\n" + indent + "  '1:command:(" + first_words + ")'";
  return below + indent + "_arguments" + specifications(page, indent + "  ") + choice + "\n";
}

}  // namespace

std::string zsh_completion(const Page& program) {
  std::string commands;
  std::string cases;
  for (const Page& command : program.commands) {
    commands += "        '" + command.word() + ":" + escaped(command.summary) + "'\n";
    cases += "        " + command.word() + ")\n" + arguments_of(command, "          ") + "          ;;\n";
  }
  return "#compdef connectid\n# Completes connectid " CONNECTID_VERSION
         " in zsh. Generated from the program's own definitions.\n\n"
         "_connectid() {\n"
         "  local curcontext=$curcontext state line\n"
         "  local -a commands\n"
         "  local -A opt_args\n"
         "  _arguments -C" +
         specifications(program, "    ") +
         " \\\n    '1:command:->command' \\\n    '*::option:->option'\n"
         "  case $state in\n"
         "    command)\n"
         "      commands=(\n" +
         commands +
         "      )\n"
         "      _describe command commands\n"
         "      ;;\n"
         "    option)\n"
         "      case $words[1] in\n" +
         cases +
         "      esac\n"
         "      ;;\n"
         "  esac\n"
         "}\n\n"
         "_connectid \"$@\"\n";
}

}  // namespace connectid::cli
