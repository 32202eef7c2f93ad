#include <chrono>
#include <memory>
#include <utility>

#include "commands/command.hpp"
#include "input/accounts.hpp"
#include "input/text.hpp"

namespace connectid::cli {
namespace {

Report run(const AccountArguments& arguments, const Context& context) {
  const auto store = token_store();
  const auto named = named_account(arguments, context.variables);
  const auto only = named ? std::nullopt : only_account(std::nullopt, *store);
  if (!named && !only) return {.err = "nobody is logged in\n"};
  const std::string name = named ? *named : only->name;
  if (const auto loaded = store->load(name); loaded && !*loaded) {
    return {.err = "account " + printable(name) + " is not logged in\n"};
  }
  // A refresh at the same time would keep it again.
  const auto lock =
      store->lock(name, {.deadline = std::chrono::steady_clock::now() + default_timeout, .stop = context.stop});
  if (!lock && context.stop.stop_requested()) return report_nothing_changed();
  if (!lock) return report_token_error(lock.error());
  const auto forgotten = store->remove(name);
  if (!forgotten) throw UsageError(forgotten.error().message());
  return {.out = "logged out: account " + printable(name) + " is forgotten on this machine\n"};
}

}  // namespace

Command commands::logout(CLI::App& app) {
  const auto arguments = std::make_shared<AccountArguments>();
  add_account(app, "Which account; required if there are several", *arguments);
  Notes notes{.summary = "Forget an account's tokens on this machine",
              .paragraphs = {"Forgets the account's tokens on this machine. The authorization server is not told: a "
                             "copy of the refresh token is valid until it expires or is revoked there.",
                             where_tokens_are},
              .variables = {{variable::account, "As --account."}},
              .statuses = {{"0", "Forgotten, or there was nothing to forget."},
                           {"1", internal_error},
                           {"2", "Usage error, or the token directory or a file in it cannot be used."},
                           {"7", "A refresh holds the account's lock, or a signal came first."}},
              .examples = {"connectid logout --account anna"}};
  return {std::move(notes), [arguments](const Context& context) { return run(*arguments, context); }};
}

}  // namespace connectid::cli
