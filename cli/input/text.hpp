#pragma once

#include <optional>
#include <stop_token>
#include <string>

namespace connectid::cli {

/// All of a file (`-`: standard input), or nothing where a stop is requested before its end: a pipe may have no writer.
/// Throws UsageError where it cannot be read, or is larger than 1 MiB.
[[nodiscard]] std::optional<std::string> read_input(const std::string& file, const std::stop_token& stop);

/// The next line of a terminal, with its end; less where the terminal ends. Else as `read_input`.
[[nodiscard]] std::optional<std::string> read_line(int fd, const std::string& what, const std::stop_token& stop);

/// What is quoted from the input must not steer a terminal.
[[nodiscard]] std::string printable(std::string text);

}  // namespace connectid::cli
