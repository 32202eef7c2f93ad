#include <memory>
#include <utility>

#include "commands/command.hpp"
#include "input/accounts.hpp"
#include "input/secret_input.hpp"
#include "input/text.hpp"

namespace connectid::cli {
namespace {

struct Arguments {
  AccountArguments account;
  ServiceArguments service;
  bool replace = false;
};

/// Only where nothing is forgotten that could still be used. Throws UsageError.
void refuse_if_kept(const std::string& account, auth::FileTokenStore& store) {
  const auto loaded = store.load(account);
  if (!loaded && must_log_in_again(loaded.error())) return;
  if (!loaded) throw UsageError(loaded.error().message());
  if (!*loaded || !(*loaded)->refused.empty()) return;
  const auth::StoredToken& kept = **loaded;
  throw UsageError("account " + account + " has " + (kept.refresh_token.empty() ? "an access token" : "tokens") +
                   " already, for " + kept.api_url + " and the client " + kept.client_id +
                   ": --replace forgets that, or use another name");
}

Report run(const Arguments& arguments, const Context& context) {
  const auto& [asked, variables, stop] = context;
  const Environment environment = environment_with_login(arguments.service, variables);
  const auto account = named_account(arguments.account, variables);
  if (!account) throw UsageError("--account is missing: the name to keep the token under");
  const auto store = token_store();
  const auth::Credentials credentials{.environment = environment,
                                      .client_id = client_id(arguments.account, variables).value_or("")};
  require_client_id(credentials);
  if (!arguments.replace) refuse_if_kept(*account, *store);
  const auto refresh_token = read_secret_from_input("refresh token", stop);
  if (!refresh_token) return report_nothing_changed();
  const auto kept = auth::import_refresh_token(*store, credentials, *account, *refresh_token, stop,
                                               arguments.replace ? auth::IfKept::replace : auth::IfKept::refuse);
  if (kept) return {.out = "kept: the refresh token of account " + printable(*account) + "\n"};
  if (kept.error().kind() == ErrorKind::cancelled) return report_nothing_changed();
  if (kept.error().kind() == ErrorKind::deadline_exceeded) return report_token_error(kept.error());
  if (!arguments.replace) refuse_if_kept(*account, *store);  // somebody else kept one meanwhile
  throw UsageError(kept.error().message());
}

}  // namespace

Command commands::token_import(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  add_account(app, "The name to keep it under", arguments->account);
  add_client(app, arguments->account);
  add_service(app, arguments->service);
  add_switch(app, "--replace", "Forget tokens of the account that could still be used", arguments->replace);
  Notes notes{
      .summary = "Keep a refresh token, read from standard input",
      .paragraphs = {"Reads one refresh token from standard input, hidden if that is a terminal, and keeps it for the "
                     "account. The authorization server is not asked until the first use.",
                     "An account that has tokens is refused, for they would be forgotten: --replace forgets them. One "
                     "that must log in again, or whose file is broken, needs no --replace.",
                     where_tokens_are},
      .variables = import_variables(),
      .statuses = {{"0", "Kept."},
                   {"1", internal_error},
                   {"2", "Usage error, the account has tokens, or the token directory or a file in it cannot be used."},
                   {"7", "A refresh holds the account's lock, or a signal came first."}},
      .examples = {"connectid token import --account anna --client-id shop \\", "--environment test <refresh-token"}};
  return {std::move(notes), [arguments](const Context& context) { return run(*arguments, context); }};
}

}  // namespace connectid::cli
