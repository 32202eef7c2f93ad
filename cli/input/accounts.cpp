#include "input/accounts.hpp"

#include <cstdio>
#include <utility>

#include "input/data_directory.hpp"
#include "input/secret_input.hpp"
#include "input/text.hpp"

namespace connectid::cli {
namespace {

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

/// As far as the environment says: a URL that was given alone names no login.
bool is_for(const auth::StoredToken& token, const Environment& environment) {
  const std::string login = without_slash(environment.login_url());
  return token.api_url == without_slash(environment.api_url()) && (login.empty() || login == token.login_url);
}

auth::ClientAuthentication client_authentication(const Variables& variables) {
  const auto name = value_of(variable::client_authentication, variables);
  if (!name || *name == "basic") return auth::ClientAuthentication::basic;
  if (*name == "body") return auth::ClientAuthentication::body;
  throw UsageError("CONNECTID_CLIENT_AUTHENTICATION is \"" + *name + "\", not basic or body");
}

std::string joined(const std::vector<std::string>& texts, const char* between) {
  std::string all;
  for (const std::string& text : texts) all.append(all.empty() ? "" : between).append(text);
  return all;
}

std::string name_one_of(const std::vector<Account>& accounts) {
  std::vector<std::string> names;
  names.reserve(accounts.size());
  for (const Account& account : accounts) names.push_back(account.name);
  return std::string("name one with --account or ") + variable::account +
         (names.empty() ? "" : ": " + joined(names, ", "));
}

}  // namespace

void add_account(CLI::App& command, const char* text, AccountArguments& to) {
  add(command, {"--account", "NAME", text}, to.account);
}

void add_client(CLI::App& command, AccountArguments& to) {
  add(command, {"--client-id", "ID", "The client that the tokens are for"}, to.client_id);
}

std::shared_ptr<auth::FileTokenStore> token_store() {
  const auto directory = data_directory();
  if (!directory) throw UsageError(directory.error().message());
  return std::make_shared<auth::FileTokenStore>(*directory + "/tokens");
}

bool must_log_in_again(const Error& error) {
  const TokenError* detail = error.token_error();
  return detail && detail->log_in_again;
}

KeptAccounts kept_accounts(const std::optional<Environment>& environment, const auth::FileTokenStore& store) {
  const auto all = store.accounts();
  if (!all) throw UsageError(all.error().message());
  KeptAccounts kept;
  for (const auth::StoredAccount& one : *all) {
    if (!one.token) {
      kept.unusable.push_back(one.token.error());
    } else if (!environment || is_for(*one.token, *environment)) {
      kept.fitting.push_back({one.name, *one.token});
    }
  }
  return kept;
}

std::optional<std::string> named_account(const AccountArguments& arguments, const Variables& variables) {
  if (arguments.account && arguments.account->empty()) throw UsageError("--account is empty");
  const auto in_variable = value_of(variable::account, variables);
  return arguments.account ? arguments.account : in_variable;
}

std::optional<std::string> client_id(const AccountArguments& arguments, const Variables& variables) {
  if (arguments.client_id && arguments.client_id->empty()) throw UsageError("--client-id is empty");
  const auto in_variable = value_of(variable::client_id, variables);
  return arguments.client_id ? arguments.client_id : in_variable;
}

std::optional<Account> find_account(const std::optional<std::string>& name, const Environment& environment,
                                    auth::FileTokenStore& store) {
  if (name) {
    auto loaded = store.load(*name);
    if (!loaded) throw UsageError(loaded.error().message());
    return *loaded ? std::optional(Account{*name, **loaded}) : std::nullopt;
  }
  return only_account(environment, store);
}

std::string not_logged_in(const std::optional<std::string>& name, const Environment& environment) {
  if (!name) return "nobody is logged in for " + environment.api_url();
  return "account " + printable(*name) +
         " is not logged in: log it in, or name one of those that `connectid accounts` lists";
}

std::optional<Account> only_account(const std::optional<Environment>& environment, const auth::FileTokenStore& store) {
  const auto [fitting, unusable] = kept_accounts(environment, store);
  // Never by elimination: the account that is meant may be the one whose file cannot be used.
  if (!unusable.empty()) {
    std::vector<std::string> errors;
    errors.reserve(unusable.size());
    for (const Error& error : unusable) errors.push_back(error.message());
    throw UsageError("no account is chosen while the file of one cannot be used: " + joined(errors, "; ") +
                     "; fix it (a broken one by a new login), or " + name_one_of(fitting));
  }
  if (fitting.size() > 1) {
    throw UsageError("there are several accounts" + (environment ? " for " + environment->api_url() : "") + ": " +
                     name_one_of(fitting));
  }
  return fitting.empty() ? std::nullopt : std::optional(fitting.front());
}

std::optional<auth::Credentials> credentials_of(const Account& account, const Environment& environment,
                                                const AccountArguments& arguments, const Variables& variables,
                                                const std::stop_token& stop) {
  const auto& [name, stored] = account;
  const auto id = client_id(arguments, variables);
  const auto secret = read_secret(variable::client_secret, variable::client_secret_file, variables, stop);
  if (!secret) return std::nullopt;
  // A URL that was given alone is one of tests and proxies; the token knows where it came from.
  const bool knows_login = environment.login_url().empty() && is_for(stored, environment);
  return auth::Credentials{
      .environment = knows_login ? Environment::custom(environment.api_url(), stored.login_url) : environment,
      .client_id = id.value_or(stored.client_id),
      .client_secret = *secret,
      .client_authentication = client_authentication(variables)};
}

void tell_what_is_lost(const auth::TokenEvent& event) {
  if (event.kind != auth::TokenEvent::Kind::lost || !event.error) return;
  const std::string line = "connectid: " + event.error->message() + "\n";
  static_cast<void>(std::fwrite(line.data(), 1, line.size(), stderr));
}

TokenSource source_of(const Account& account, auth::Credentials credentials, std::shared_ptr<auth::TokenStore> store,
                      const RetryPolicy& retry_policy) {
  auth::SourceOptions options{.credentials = std::move(credentials),
                              .store = std::move(store),
                              .account = account.name,
                              .renewal = {.ahead = std::chrono::milliseconds{0}, .retry_policy = retry_policy},
                              .on_event = tell_what_is_lost};
  return account.stored.refresh_token.empty() ? auth::client_credentials_source(std::move(options))
                                              : auth::refresh_token_source(std::move(options));
}

Environment environment_with_login(const ServiceArguments& arguments, const Variables& variables) {
  Environment environment = choose_environment(arguments, variables);
  if (environment.login_url().empty()) {
    throw UsageError(
        "an API URL names no authorization server: set CONNECTID_LOGIN_URL too, or choose an --environment instead");
  }
  return environment;
}

void require_client_id(const auth::Credentials& credentials) {
  if (credentials.client_id.empty()) throw UsageError("the client id is missing: --client-id or CONNECTID_CLIENT_ID");
}

GotToken get_token(const std::shared_ptr<auth::FileTokenStore>& store, const Account& account,
                   auth::Credentials credentials, const Secret& refused, const CallLimits& limits,
                   const std::stop_token& stop) {
  const auto source =
      std::make_shared<const TokenSource>(source_of(account, std::move(credentials), store, limits.retry_policy));
  const auto deadline = std::chrono::steady_clock::now() + limits.timeout.value_or(default_timeout);
  return {(*source)({.deadline = deadline, .stop = stop, .refused = refused}), source};
}

}  // namespace connectid::cli
