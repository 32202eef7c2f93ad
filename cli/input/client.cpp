#include "input/client.hpp"

#include <utility>

#include "input/ca_file.hpp"
#include "input/secret_input.hpp"

namespace connectid::cli {
namespace {

/// Refuses every call: nobody is logged in.
TokenSource no_token(const std::optional<std::string>& account, const Environment& environment) {
  std::string why = not_logged_in(account, environment);
  if (!account) why = "CONNECTID_ACCESS_TOKEN is not set, nor is CONNECTID_ACCESS_TOKEN_FILE, and " + why;
  return [why](const TokenRequest&) -> Result<AccessToken> { return token_error(why, {.log_in_again = true}); };
}

}  // namespace

void add_client_arguments(CLI::App& command, const char* account_text, ClientArguments& to) {
  add_service(command, to.service);
  add_ca_file(command, to.ca_file);
  add_account(command, account_text, to.account);
  add_call_limits(command, to.limits);
  add_rate(command, to.rates);
}

/// --account over the variables, and these over the store.
std::optional<Caller> choose_caller(const ClientArguments& arguments, const Variables& variables,
                                    const std::stop_token& stop) {
  const Environment environment = choose_environment(arguments.service, variables);
  Caller caller{.options = {.environment = environment,
                            .transport = make_transport(arguments.ca_file, variables),
                            .retry_policy = arguments.limits.retry_policy,
                            .user_agent = "connectid-cli"}};
  TokenSource& tokens = caller.options.token_source;
  const auto name = named_account(arguments.account, variables);
  const auto token = read_secret(variable::access_token, variable::access_token_file, variables, stop);
  if (!token) return std::nullopt;
  if (name && !arguments.account.account && !token->empty()) {
    throw UsageError(
        "CONNECTID_ACCOUNT and an access token (CONNECTID_ACCESS_TOKEN, CONNECTID_ACCESS_TOKEN_FILE) are "
        "both set: unset one");
  }
  if (!name && !token->empty()) {
    tokens = static_token(*token);
    return caller;
  }
  const auto store = token_store();
  const auto account = find_account(name, environment, *store);
  caller.account = account ? account->name : name.value_or("");
  caller.has_token = account.has_value();
  if (!account) {
    tokens = no_token(name, environment);
    return caller;
  }
  auto credentials = credentials_of(*account, environment, arguments.account, variables, stop);
  if (!credentials) return std::nullopt;
  credentials->transport = caller.options.transport;
  tokens = source_of(*account, *std::move(credentials), store, arguments.limits.retry_policy);
  return caller;
}

RateLimiting rate_limiting_of(const Caller& caller, Rates rates) {
  return caller.has_token ? rate_limiting(caller.options.environment.api_url(), rates) : RateLimiting{RateLimit::off()};
}

}  // namespace connectid::cli
