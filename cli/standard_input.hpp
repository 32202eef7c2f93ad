#pragma once

#include <optional>
#include <stop_token>
#include <string>

namespace connectid::cli {

/// All of standard input, or nothing where a stop is requested before its end. Throws UsageError where it cannot be
/// read.
[[nodiscard]] std::optional<std::string> read_standard_input(const std::stop_token& stop);

}  // namespace connectid::cli
