#include <connectid/version.hpp>

#include "generate/writers.hpp"

namespace connectid::cli {
namespace {

std::string names_of(const std::vector<Flag>& flags) {
  std::vector<std::string> names;
  for (const Flag& flag : flags) names.insert(names.end(), flag.names.begin(), flag.names.end());
  return joined(names, " ");
}

/// After a flag that takes a value: what may stand there.
std::string value_cases(const Page& command) {
  std::string cases;
  std::vector<std::string> only_its_user_knows;
  for (const Flag& flag : command.flags) {
    const std::string names = joined(flag.names, " | ");
    if (flag.takes_file()) {
      cases += "        " + names + ") files=yes ;;\n";
    } else if (!flag.choices().empty()) {
      cases += "        " + names + ") words='" + joined(flag.choices(), " ") + "' ;;\n";
    } else if (!flag.value.empty()) {
      only_its_user_knows.push_back(names);
    }
  }
  if (!only_its_user_knows.empty()) cases += "        " + joined(only_its_user_knows, " | ") + ") words='' ;;\n";
  return cases;
}

/// The words that may follow a command, its own commands first.
std::string outcomes_after(const Page& page) {
  std::vector<std::string> words;
  for (const Page& command : page.commands) words.push_back(command.word().substr(command.word().rfind(' ') + 1));
  words.push_back(names_of(page.flags));
  return joined(words, " ");
}

std::string command_cases(const Page& command) {
  std::string cases = "    '" + command.word() + "')\n      words='" + outcomes_after(command) +
                      "'\n      case $previous in\n" + value_cases(command) + "      esac\n      ;;\n";
  for (const Page& below : command.commands) cases += command_cases(below);
  return cases;
}

/// Commands of two words, each between bars.
std::string commands_of_two_outcomes(const Page& program) {
  std::string all = "|";
  for (const Page& command : program.commands) {
    for (const Page& below : command.commands) all += below.word() + "|";
  }
  return all;
}

// Bash breaks a line at = too: `--output=js` are three words.
constexpr auto head = R"sh(_connectid() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' words='' files=''
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  ((COMP_CWORD == 1)) || command=${COMP_WORDS[1]}
)sh";

constexpr auto tail = R"sh(  esac
  if [[ $files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  fi
}
complete -F _connectid connectid
)sh";

}  // namespace

std::string bash_completion(const Page& program) {
  std::string cases;
  for (const Page& command : program.commands) cases += command_cases(command);
  return "# Completes connectid " CONNECTID_VERSION " in bash. Generated from the program's own definitions.\n" +
         std::string(head) + "  if ((COMP_CWORD > 2)) && [[ '" + commands_of_two_outcomes(program) +
         "' == *\"|$command ${COMP_WORDS[2]}|\"* ]]; then command+=\" ${COMP_WORDS[2]}\"; fi\n" +
         "  case $command in\n    '') words='" + outcomes_after(program) + "' ;;\n" + cases + tail;
}

}  // namespace connectid::cli
