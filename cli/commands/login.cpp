#include "commands/login.hpp"

#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "input/accounts.hpp"
#include "input/ca_file.hpp"
#include "input/secret_input.hpp"
#include "output/times.hpp"

namespace connectid::cli {
namespace {

using json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds usual_timeout = std::chrono::minutes{2};

Report stopped() { return {.status = 7, .err = "connectid: cancelled; nothing was changed\n"}; }

Report refused(const Error& error) {
  return {.status = status_of(error), .err = "connectid: " + error.message() + "\n"};
}

std::string name_or_fail(const std::optional<std::string>& name) {
  if (!name) throw UsageError(std::string("--account is missing: the name that the token is kept under"));
  return *name;
}

/// A token that is good now, or is another than `worn_out`; and what ends a renewal only after the response was told.
struct Response {
  Result<AccessToken> token;
  std::shared_ptr<const void> source;
};

Response ask(const std::shared_ptr<auth::FileTokenStore>& store, const Account& account, auth::Credentials credentials,
             const Secret& worn_out, const Arguments& arguments, const std::stop_token& stop) {
  const auto source = std::make_shared<const TokenSource>(source_of(account, std::move(credentials), store, arguments));
  const auto deadline = std::chrono::steady_clock::now() + arguments.timeout.value_or(usual_timeout);
  return {(*source)({.deadline = deadline, .stop = stop, .refused = worn_out}), source};
}

/// Told before a secret is asked for.
Environment environment_with_login(const Arguments& arguments, const Variables& variables) {
  Environment environment = choose_environment(arguments, variables);
  if (environment.login_url().empty()) {
    throw UsageError(
        "an API URL names no login: set CONNECTID_LOGIN_URL beside it, or choose an --environment instead");
  }
  return environment;
}

/// What is lost for good counts as nothing, or nobody could log in again: the store puts it aside.
Secret access_token_before_login(const std::string& account, auth::FileTokenStore& store) {
  const auto loaded = store.load(account);
  if (loaded) return loaded->value_or(auth::StoredToken{}).access_token;
  const auto* detail = loaded.error().get_if<TokenError>();
  if (!detail || !detail->log_in_again) throw UsageError(loaded.error().message());
  return {};
}

/// The next run has nothing but the store. A login at the same moment may have put another token there.
Report logged_in(const std::string& account, const Secret& kept_before, auth::FileTokenStore& store) {
  const auto kept = store.load(account);
  const bool is_new = kept && *kept && (*kept)->access_token != kept_before;
  if (is_new) return {.out = "logged in: account " + printable(account) + "\n"};
  const std::string why = kept ? "see that its directory can be written, and run this again" : kept.error().message();
  return {.status = 7,
          .err = "connectid: the authorization server gave a token, but the store did not keep it for account " +
                 printable(account) + ": " + why + "\n"};
}

json account_json(const auth::StoredAccount& account) {
  const auth::StoredToken token = account.token.value_or(auth::StoredToken{});
  json one;
  one["account"] = account.name;
  one["api_url"] = token.api_url;
  one["login_url"] = token.login_url;
  one["client_id"] = token.client_id;
  one["access_token_expires_at"] = nullptr;
  if (!token.access_token.empty()) one["access_token_expires_at"] = utc_for_machines(token.expires_at);
  one["has_refresh_token"] = !token.refresh_token.empty();
  if (!account.token) one["problem"] = account.token.error().message();
  return one;
}

std::string account_line(const auth::StoredAccount& account) {
  if (!account.token) return "  cannot be used: " + account.token.error().message() + "\n";
  const auto& [access_token, obtained_at, expires_at, refresh_token, api_url, login_url, client_id] = *account.token;
  std::string line =
      printable(account.name) + "\n  " + printable(api_url) + ", client " + printable(client_id) + "\n  ";
  line += access_token.empty() ? "no access token yet" : "access token until " + utc_for_people(expires_at);
  return line + (refresh_token.empty() ? "; no refresh token\n" : "; renewed by its refresh token\n");
}

}  // namespace

Report login(const Arguments& arguments, const Variables& variables, const std::stop_token& stop) {
  if (!arguments.client_credentials) {
    throw UsageError("login takes --client-credentials; a customer's refresh token is for connectid token import");
  }
  const Environment environment = environment_with_login(arguments, variables);
  const auto transport = make_transport(arguments, variables);
  const auto named = named_account(arguments, variables);
  const auto store = token_store();
  auto credentials = credentials_of({named.value_or("")}, environment, arguments, variables, stop);
  if (!credentials) return stopped();
  if (credentials->client_id.empty()) throw UsageError("the client id is missing: --client-id or CONNECTID_CLIENT_ID");
  credentials->transport = transport;
  const std::string account = named.value_or(credentials->client_id);
  const Secret kept_before = access_token_before_login(account, *store);
  if (credentials->client_secret.empty()) {
    const auto typed = ask_for_secret("client secret of " + printable(credentials->client_id),
                                      "set CONNECTID_CLIENT_SECRET or CONNECTID_CLIENT_SECRET_FILE", stop);
    if (!typed) return stopped();
    credentials->client_secret = *typed;
  }
  const auto [token, source] = ask(store, {account}, *std::move(credentials), kept_before, arguments, stop);
  Report report = token ? logged_in(account, kept_before, *store) : refused(token.error());
  report.held_until_told = source;
  return report;
}

Report import_token(const Arguments& arguments, const Variables& variables, const std::stop_token& stop) {
  const Environment environment = environment_with_login(arguments, variables);
  const std::string account = name_or_fail(named_account(arguments, variables));
  const auto store = token_store();
  const auto credentials = credentials_of({account}, environment, arguments, variables, stop);
  if (!credentials) return stopped();
  if (credentials->client_id.empty()) throw UsageError("the client id is missing: --client-id or CONNECTID_CLIENT_ID");
  const auto refresh_token = read_secret_from_input("refresh token", stop);
  if (!refresh_token) return stopped();
  const auto kept = auth::import_refresh_token(*store, *credentials, account, *refresh_token, stop);
  if (!kept && kept.error().kind() == ErrorKind::cancelled) return stopped();
  if (!kept && kept.error().kind() == ErrorKind::deadline_exceeded) return refused(kept.error());
  if (!kept) throw UsageError(kept.error().message());
  return {.out = "kept: the refresh token of account " + printable(account) + "\n"};
}

Report print_token(const Arguments& arguments, const Variables& variables, const std::stop_token& stop) {
  if (isatty(STDOUT_FILENO) != 0 && !arguments.show) {
    throw UsageError("standard output is a terminal, which others may see and which remembers: --show prints it there");
  }
  const Environment environment = choose_environment(arguments, variables);
  const auto transport = make_transport(arguments, variables);
  const auto store = token_store();
  const auto name = named_account(arguments, variables);
  const auto account = find_account(name, environment, *store);
  if (!account) return {.status = 4, .err = "connectid: " + not_logged_in(name, environment) + "\n"};
  auto credentials = credentials_of(*account, environment, arguments, variables, stop);
  if (!credentials) return stopped();
  credentials->transport = transport;
  const auto [token, source] = ask(store, *account, *std::move(credentials), {}, arguments, stop);
  Report report = token ? Report{.out = token->value.reveal() + "\n", .out_is_secret = true} : refused(token.error());
  report.held_until_told = source;
  return report;
}

Report list_accounts(const Arguments& arguments) {
  const auto accounts = token_store()->accounts();
  if (!accounts) throw UsageError(accounts.error().message());
  if (arguments.output == Output::json) {
    json all{{"accounts", json::array()}};
    for (const auth::StoredAccount& account : *accounts) all["accounts"].push_back(account_json(account));
    return {.out = all.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"};
  }
  Report report;
  for (const auth::StoredAccount& account : *accounts) report.out += account_line(account);
  if (accounts->empty()) report.err = "nobody is logged in\n";
  return report;
}

Report logout(const Arguments& arguments, const Variables& variables, const std::stop_token& stop) {
  const auto store = token_store();
  const auto named = named_account(arguments, variables);
  const auto only = named ? std::nullopt : only_account(std::nullopt, *store);
  if (!named && !only) return {.err = "nobody is logged in\n"};
  const std::string name = named ? *named : only->name;
  if (const auto loaded = store->load(name); loaded && !*loaded) {
    return {.err = "account " + printable(name) + " is not logged in\n"};
  }
  // Whoever renews it now would keep it again.
  const auto lock = store->lock(name, std::chrono::steady_clock::now() + usual_timeout, stop);
  if (!lock && stop.stop_requested()) return stopped();
  if (!lock) return refused(lock.error());
  const auto forgotten = store->remove(name);
  if (!forgotten) throw UsageError(forgotten.error().message());
  return {.out = "logged out: account " + printable(name) + " is forgotten on this machine\n"};
}

}  // namespace connectid::cli
