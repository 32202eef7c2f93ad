#include <memory>
#include <utility>

#include "commands/command.hpp"
#include "input/accounts.hpp"
#include "input/ca_file.hpp"
#include "input/secret_input.hpp"
#include "input/text.hpp"

namespace connectid::cli {
namespace {

struct Arguments {
  bool client_credentials = false;
  AccountArguments account;
  ServiceArguments service;
  std::optional<std::string> ca_file;
  CallLimits limits;
};

/// A broken file counts as no token, or nobody could log in again: the store puts it aside.
Secret access_token_before_login(const std::string& account, auth::FileTokenStore& store) {
  const auto loaded = store.load(account);
  if (loaded) return loaded->value_or(auth::StoredToken{}).access_token;
  if (!must_log_in_again(loaded.error())) throw UsageError(loaded.error().message());
  return {};
}

/// The next run has nothing but the store. What came may be the token that was kept before, while that lives; and a
/// login at the same moment may have put another one there.
Report logged_in(const std::string& account, const Secret& token, const Secret& kept_before,
                 auth::FileTokenStore& store) {
  const auto loaded = store.load(account);
  const Secret kept = loaded ? loaded->value_or(auth::StoredToken{}).access_token : Secret();
  const bool is_kept = kept == token || (!kept.empty() && kept != kept_before);
  if (is_kept) return {.out = "logged in: account " + printable(account) + "\n"};
  const std::string why = loaded ? "make sure that its directory can be written, and retry" : loaded.error().message();
  return {.status = 7,
          .err = "connectid: the authorization server issued a token, but the store did not keep it for account " +
                 printable(account) + ": " + why + "\n"};
}

Report run(const Arguments& arguments, const Context& context) {
  const auto& [asked, variables, stop] = context;
  if (!arguments.client_credentials) {
    throw UsageError("login needs --client-credentials; for a customer's refresh token use connectid token import");
  }
  const Environment environment = environment_with_login(arguments.service, variables);
  const auto transport = make_transport(arguments.ca_file, variables);
  const auto named = named_account(arguments.account, variables);
  const auto store = token_store();
  auto credentials = credentials_of({named.value_or("")}, environment, arguments.account, variables, stop);
  if (!credentials) return report_nothing_changed();
  require_client_id(*credentials);
  credentials->transport = transport;
  const std::string account = named.value_or(credentials->client_id);
  const Secret kept_before = access_token_before_login(account, *store);
  if (credentials->client_secret.empty()) {
    const auto typed = ask_for_secret("client secret of " + printable(credentials->client_id),
                                      "set CONNECTID_CLIENT_SECRET or CONNECTID_CLIENT_SECRET_FILE", stop);
    if (!typed) return report_nothing_changed();
    credentials->client_secret = *typed;
  }
  const auto [token, source] =
      get_token(store, {account}, *std::move(credentials), kept_before, arguments.limits, stop);
  Report report = token ? logged_in(account, token->value, kept_before, *store) : report_token_error(token.error());
  report.held_until_told = source;
  return report;
}

}  // namespace

Command commands::login(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  add_switch(app, "--client-credentials", "Log in as the client itself", arguments->client_credentials);
  add_account(app, "The name to keep it under (default: the client id)", arguments->account);
  add_client(app, arguments->account);
  add_service(app, arguments->service);
  add_ca_file(app, arguments->ca_file);
  add_call_limits(app, arguments->limits);
  Notes notes{.summary = "Get an access token and keep it for other commands",
              .paragraphs = {"Gets an access token with the client's own id and secret, and keeps it for every command "
                             "that takes --account. It replaces a token that was kept; a broken file is put aside.",
                             "The secret comes from a variable or a file, or is typed at the terminal, which does not "
                             "show it. No flag takes it: everybody on the machine can read flags.",
                             where_tokens_are},
              .variables = login_variables(),
              .statuses = token_statuses("Logged in."),
              .examples = {"export CONNECTID_CLIENT_SECRET_FILE=/run/secrets/connectid",
                           "connectid login --client-credentials --environment test --client-id shop"}};
  return {std::move(notes), [arguments](const Context& context) { return run(*arguments, context); }};
}

}  // namespace connectid::cli
