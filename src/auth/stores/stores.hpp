#pragma once

#include <stop_token>
#include <string>

#include <connectid/auth/token_store.hpp>
#include <connectid/error.hpp>

// What the stores have in common.
namespace connectid::inline v0::detail {

/// For people. (Not `quoted`: argument-dependent lookup finds std::quoted, too, where a header brings <iomanip>.)
[[nodiscard]] std::string quoted_account(const std::string& account);

/// Why a lock was not had: somebody holds it, and the stop was requested or the time is up. `holders`: who it can be.
[[nodiscard]] Error lock_not_had(const std::string& account, const std::stop_token& stop, const char* holders);

}  // namespace connectid::inline v0::detail
