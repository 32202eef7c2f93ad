#include <unistd.h>

#include <memory>
#include <utility>

#include "commands/command.hpp"
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
};

Report run(const Arguments& arguments, const Context& context) {
  const auto& [asked, variables, stop] = context;
  if (isatty(STDOUT_FILENO) != 0 && !arguments.show) {
    throw UsageError("standard output is a terminal, which others may see and which keeps a history: use --show");
  }
  const Environment environment = choose_environment(arguments.service, variables);
  const auto transport = make_transport(arguments.ca_file, variables);
  const auto store = token_store();
  const auto name = named_account(arguments.account, variables);
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
  add_service(app, arguments->service);
  add_ca_file(app, arguments->ca_file);
  add_call_limits(app, arguments->limits);
  add_switch(app, "--show", "Print it even to a terminal", arguments->show);
  Notes notes{.summary = "Print a valid access token, refreshed if needed",
              .paragraphs = {"Prints the account's access token and a line break, for other programs. An expired token "
                             "is refreshed first. To a terminal it prints only with --show. If standard output cannot "
                             "be written, the token is printed nowhere.",
                             where_tokens_are},
              .variables = refresh_variables(),
              .statuses = token_statuses("Printed."),
              .examples = {"CONNECTID_ACCESS_TOKEN=$(connectid token --account anna --environment test)"}};
  return {std::move(notes), [arguments](const Context& context) { return run(*arguments, context); }};
}

}  // namespace connectid::cli
