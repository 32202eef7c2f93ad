#pragma once

#include <connectid/secret.hpp>
#include <optional>
#include <stop_token>
#include <string>

#include "input/settings.hpp"

namespace connectid::cli {

// Where secrets come from; never from a flag, which everybody on the machine can read. Each is one line: one line break
// at its end is dropped, and another control character is a UsageError, for it would not be what somebody means.
// Nothing is given where a stop is requested first.

/// The value of a variable, or the text of the file that another one names; empty where neither is set. Throws
/// UsageError where both are, one is empty, or the file cannot be read.
[[nodiscard]] std::optional<Secret> read_secret(const char* variable, const char* variable_of_file,
                                                const Variables& variables, const std::stop_token& stop);

/// Typed at the terminal of the session, which does not show it. Throws UsageError with `another_way` to give it where
/// there is none, or where its line is too short for what was typed.
[[nodiscard]] std::optional<Secret> ask_for_secret(const std::string& what, const std::string& another_way,
                                                   const std::stop_token& stop);

/// All of standard input; typed, where that is a terminal.
[[nodiscard]] std::optional<Secret> read_secret_from_input(const std::string& what, const std::stop_token& stop);

}  // namespace connectid::cli
