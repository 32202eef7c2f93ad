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
};

Report run(const Arguments& arguments, const Context& context) {
  const auto& [asked, variables, stop] = context;
  const Environment environment = environment_with_login(arguments.service, variables);
  const auto account = named_account(arguments.account, variables);
  if (!account) throw UsageError("--account is missing: the name to keep the token under");
  const auto store = token_store();
  const auth::Credentials credentials{.environment = environment,
                                      .client_id = client_id(arguments.account, variables).value_or("")};
  require_client_id(credentials);
  const auto refresh_token = read_secret_from_input("refresh token", stop);
  if (!refresh_token) return report_nothing_changed();
  const auto kept = auth::import_refresh_token(*store, credentials, *account, *refresh_token, stop);
  if (kept) return {.out = "kept: the refresh token of account " + printable(*account) + "\n"};
  if (kept.error().kind() == ErrorKind::cancelled) return report_nothing_changed();
  if (kept.error().kind() == ErrorKind::deadline_exceeded) return report_token_error(kept.error());
  throw UsageError(kept.error().message());
}

}  // namespace

Command commands::token_import(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  add_account(app, "The name to keep it under", arguments->account);
  add_client(app, arguments->account);
  add_service(app, arguments->service);
  Notes notes{
      .summary = "Keep a refresh token, read from standard input",
      .paragraphs = {"Reads one refresh token from standard input, hidden if that is a terminal, and keeps it for the "
                     "account, in place of its earlier tokens. The authorization server is not asked until the first "
                     "use.",
                     where_tokens_are},
      .variables = import_variables(),
      .statuses = {{"0", "Kept."},
                   {"1", internal_error},
                   {"2", "Usage error, or the token directory or a file in it cannot be used."},
                   {"7", "A refresh holds the account's lock, or a signal came first."}},
      .examples = {"connectid token import --account anna --client-id shop \\", "--environment test <refresh-token"}};
  return {std::move(notes), [arguments](const Context& context) { return run(*arguments, context); }};
}

}  // namespace connectid::cli
