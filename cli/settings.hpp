#pragma once

#include <connectid/environment.hpp>
#include <connectid/secret.hpp>
#include <functional>
#include <optional>
#include <string>

#include "arguments.hpp"

namespace connectid::cli {

/// Reads one environment variable.
using Variables = std::function<std::optional<std::string>(const char* name)>;

/// Flag over environment over default (production). A variable that is set but empty is a UsageError, never the
/// default: an empty URL must not come to mean production.
[[nodiscard]] Environment choose_environment(const Arguments& arguments, const Variables& variables);

/// CONNECTID_ACCESS_TOKEN; empty where it is not set.
[[nodiscard]] Secret choose_token(const Variables& variables);

}  // namespace connectid::cli
