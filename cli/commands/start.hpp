#pragma once

#include <stop_token>

#include "input/settings.hpp"
#include "output/report.hpp"

namespace connectid::cli {

// Each command, from its arguments to what it leaves behind. They throw UsageError.

[[nodiscard]] Report start(const Arguments& arguments, Asked& asked, const Variables& variables, std::stop_token stop);
[[nodiscard]] Report validate_only(const Arguments& arguments, Asked& asked, const std::stop_token& stop);
/// Serves until a stop is requested. Says where it listens by itself, as soon as it does.
[[nodiscard]] Report fake_server(const Arguments& arguments, const std::stop_token& stop);

}  // namespace connectid::cli
