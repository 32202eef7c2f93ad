#pragma once

#include <stop_token>

#include "input/settings.hpp"
#include "output/report.hpp"

namespace connectid::cli {

/// Gets a token for the client itself and keeps it. Throws UsageError.
[[nodiscard]] Report login(const Arguments& arguments, const Variables& variables, const std::stop_token& stop);
/// Keeps the refresh token that standard input holds. Throws UsageError.
[[nodiscard]] Report import_token(const Arguments& arguments, const Variables& variables, const std::stop_token& stop);
/// Prints an access token that is good now. Throws UsageError.
[[nodiscard]] Report print_token(const Arguments& arguments, const Variables& variables, const std::stop_token& stop);
/// Lists who is logged in. Throws UsageError.
[[nodiscard]] Report list_accounts(const Arguments& arguments);
/// Forgets an account. Throws UsageError.
[[nodiscard]] Report logout(const Arguments& arguments, const Variables& variables, const std::stop_token& stop);

}  // namespace connectid::cli
