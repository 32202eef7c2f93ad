#pragma once

#include <connectid/environment.hpp>
#include <connectid/http/transport.hpp>
#include <memory>

#include "commands/command.hpp"
#include "input/accounts.hpp"

namespace connectid::cli {

/// Renews the tokens of every customer's account for that environment, and for the client that is named, if one is. A
/// stop, and the time limit where there is one, end what has not begun; what is under way is waited for.
[[nodiscard]] Report renew_all(const Environment& environment, const std::shared_ptr<http::Transport>& transport,
                               const AccountArguments& arguments, const CallLimits& limits, const Context& context);

}  // namespace connectid::cli
