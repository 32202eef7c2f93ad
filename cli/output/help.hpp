#pragma once

#include "output/notes.hpp"

namespace CLI {
class App;
}

namespace connectid::cli {

/// The help of a command, for a terminal of 80 columns. The manual page (help2man) and the completions are made of it.
[[nodiscard]] std::string help(const CLI::App& command, const Notes& notes);

}  // namespace connectid::cli
