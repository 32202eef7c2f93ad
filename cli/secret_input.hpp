#pragma once

#include <connectid/secret.hpp>
#include <optional>
#include <stop_token>

#include "settings.hpp"

namespace connectid::cli {

/// The access token of CONNECTID_ACCESS_TOKEN, or of the file that CONNECTID_ACCESS_TOKEN_FILE names (its first and
/// only line); empty where neither is set. Nothing where a stop is requested while the file is read. Throws UsageError
/// where both are set, one is empty, or the file cannot be read.
[[nodiscard]] std::optional<Secret> read_token(const Variables& variables, const std::stop_token& stop);

}  // namespace connectid::cli
