#include <unistd.h>

#include <memory>
#include <utility>

#include "commands/command.hpp"
#include "commands/renew_all.hpp"
#include "input/accounts.hpp"
#include "input/ca_file.hpp"

namespace connectid::cli {
namespace {

struct Arguments {
  AccountArguments account;
  ServiceArguments service;
  std::optional<std::string> ca_file;
  CallLimits limits;
  bool show = false;
  bool renew_all = false;
};

Report run(const Arguments& arguments, const Context& context) {
  const auto& [asked, variables, stop] = context;
  if (asked.output == Output::json && !arguments.renew_all) throw UsageError("--output json takes --renew-all");
  if (isatty(STDOUT_FILENO) != 0 && !arguments.show && !arguments.renew_all) {
    throw UsageError("standard output is a terminal, which others may see and which keeps a history: use --show");
  }
  const Environment environment = choose_environment(arguments.service, variables);
  const auto transport = make_transport(arguments.ca_file, variables);
  const auto name = named_account(arguments.account, variables);
  if (arguments.renew_all) return renew_all(environment, transport, arguments.account, arguments.limits, context);
  const auto store = token_store();
  const auto account = find_account(name, environment, *store);
  if (!account) return {.status = 4, .err = "connectid: " + not_logged_in(name, environment) + "\n"};
  auto credentials = credentials_of(*account, environment, arguments.account, variables, stop);
  if (!credentials) return report_nothing_changed();
  credentials->transport = transport;
  const auto [token, source] = get_token(store, *account, *std::move(credentials), {}, arguments.limits, stop);
  Report report =
      token ? Report{.out = token->value.reveal() + "\n", .out_is_secret = true} : report_token_error(token.error());
  report.held_until_told = source;
  return report;
}

}  // namespace

Command commands::token(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  add_account(app, "Whose token; required if there are several accounts", arguments->account);
  add_client(app, arguments->account);
  add_service(app, arguments->service);
  add_ca_file(app, arguments->ca_file);
  add_call_limits(app, arguments->limits);
  add_switch(app, "--show", "Print it even to a terminal", arguments->show);
  add_switch(app, "--renew-all", "Renew the token of every customer's account instead, and print none",
             arguments->renew_all, "--account");
  add_output(app);
  Notes notes{.summary = "Print a valid access token, refreshed if needed",
              .paragraphs = {"Prints the account's access token and a line break, for other programs. An expired token "
                             "is refreshed first. To a terminal it prints only with --show. If standard output cannot "
                             "be written, the token is printed nowhere.",
                             "--renew-all is for a cron job: a refresh token that is not used for 30 days expires, and "
                             "its customer must log in again. It renews the token of every customer's account of the "
                             "environment (with --client-id: and of that client), even one that is valid, and prints a "
                             "line for each. An account that must log in again is named, and not asked for. --timeout "
                             "is then for the whole run (default: none), and connecting is retried for 1 s. A signal "
                             "ends what has not begun; a renewal that is under way is waited for. With --output json, "
                             "standard output holds one JSON "
                             "object: {\"accounts\":[...]}.",
                             where_tokens_are},
              .variables = refresh_variables(),
              .statuses = token_statuses("Printed. With --renew-all: all are renewed, or there is none."),
              .examples = {"CONNECTID_ACCESS_TOKEN=$(connectid token --account anna --environment test)",
                           "connectid token --renew-all --environment test"}};
  return {std::move(notes), [arguments](const Context& context) { return run(*arguments, context); }};
}

}  // namespace connectid::cli
