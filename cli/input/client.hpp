#pragma once

#include <connectid/subscription/subscription_client.hpp>
#include <optional>
#include <stop_token>
#include <string>

#include "input/accounts.hpp"
#include "input/rate_limiting.hpp"

namespace connectid::cli {

/// What every command takes that calls the API.
struct ClientArguments {
  ServiceArguments service;
  AccountArguments account;
  CallLimits limits;
  Rates rates;
  std::optional<std::string> ca_file;
};
void add_client_arguments(CLI::App& command, const char* account_text, ClientArguments& to);

/// How to call the API, and for whom.
struct Caller {
  ClientOptions options;     ///< without a journal, and without a rate limit
  std::string account = {};  ///< empty: none that has a name
  bool has_token = true;     ///< or may get one
};

/// Nothing where a stop is requested while a secret is read. Throws UsageError.
[[nodiscard]] std::optional<Caller> choose_caller(const ClientArguments& arguments, const Variables& variables,
                                                  const std::stop_token& stop);

/// The rate limit of a run. A run without a token sends nothing, and makes no file.
[[nodiscard]] RateLimiting rate_limiting_of(const Caller& caller, Rates rates);

}  // namespace connectid::cli
