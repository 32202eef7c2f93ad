#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "input/settings.hpp"
#include "output/notes.hpp"
#include "output/report.hpp"

namespace connectid::cli {

/// What every command is given.
struct Context {
  Asked& asked;
  const Variables& variables;
  std::stop_token stop;
};

struct Command {
  Notes notes;
  std::function<Report(const Context&)> run;  ///< may throw UsageError
};

/// What the command line asks for: text (`--help`, `--version`), or else a command to run.
struct Parsed {
  std::optional<std::string> text;
  std::function<Report(const Context&)> run;
};
/// The command that the line begins with, also where the rest of it is wrong; empty: none that is known.
[[nodiscard]] std::string command_in(int argc, const char* const* argv);
/// Throws UsageError.
[[nodiscard]] Parsed parse(int argc, const char* const* argv);

/// Each declares its flags.
namespace commands {
#define COMMAND(name, words) Command name(CLI::App& app);
#include "commands/commands.inc"
#undef COMMAND
}  // namespace commands

}  // namespace connectid::cli
