#pragma once

#include "commands/command_line.hpp"

namespace CLI {
class App;
}

namespace connectid::cli {

/// Every command and every flag: its name, what its value looks like, what is told of it, and what it sets. The help,
/// the manual pages and the completions are made of these, and so cannot say anything else.
///
/// What a value looks like (CLI11's type name) also says how a shell completes it: `FILE` is the name of a file, `a|b`
/// is one of these words, and anything else only its user knows.
void define(CLI::App& app, Arguments& to);

}  // namespace connectid::cli
