#include <connectid/journal/file_journal.hpp>
#include <memory>
#include <utility>

#include "commands/command.hpp"
#include "input/accounts.hpp"
#include "input/ca_file.hpp"
#include "input/rate_limiting.hpp"
#include "input/secret_input.hpp"

namespace connectid::cli {
namespace {

struct Arguments {
  RequestArguments request;
  ServiceArguments service;
  AccountArguments account;
  CallLimits limits;
  Rates rates;
  std::optional<std::string> ca_file;
  std::optional<std::string> journal;
  std::optional<std::string> call_id;
};

std::shared_ptr<FileJournal> open_journal(const std::optional<std::string>& file) {
  if (!file) return nullptr;
  auto journal = FileJournal::open(*file);
  if (!journal) throw UsageError(journal.error().message());
  return *std::move(journal);
}

/// Whose call it is, and where the tokens come from.
struct Caller {
  std::string account = {};  ///< empty: none that has a name
  TokenSource tokens = nullptr;
  bool has_token = true;  ///< or may get one
};

Caller nobody(const std::optional<std::string>& account, const Environment& environment) {
  std::string why = not_logged_in(account, environment);
  if (!account) why = "CONNECTID_ACCESS_TOKEN is not set, nor is CONNECTID_ACCESS_TOKEN_FILE, and " + why;
  const auto refuse = [why](const TokenRequest&) -> Result<AccessToken> { return token_error(why); };
  return {.account = account.value_or(""), .tokens = refuse, .has_token = false};
}

/// --account over the variables, and these over the store. Nothing if a stop is requested.
std::optional<Caller> choose_caller(const Environment& environment, const Arguments& arguments,
                                    const Variables& variables, const std::stop_token& stop,
                                    const std::shared_ptr<http::Transport>& transport) {
  const auto name = named_account(arguments.account, variables);
  const auto token = read_secret(variable::access_token, variable::access_token_file, variables, stop);
  if (!token) return std::nullopt;
  if (name && !arguments.account.account && !token->empty()) {
    throw UsageError(
        "CONNECTID_ACCOUNT and an access token (CONNECTID_ACCESS_TOKEN, CONNECTID_ACCESS_TOKEN_FILE) are "
        "both set: unset one");
  }
  if (!name && !token->empty()) return Caller{.tokens = static_token(*token)};
  const auto store = token_store();
  const auto account = find_account(name, environment, *store);
  if (!account) return nobody(name, environment);
  auto credentials = credentials_of(*account, environment, arguments.account, variables, stop);
  if (!credentials) return std::nullopt;
  credentials->transport = transport;
  return Caller{.account = account->name,
                .tokens = source_of(*account, *std::move(credentials), store, arguments.limits.retry_policy)};
}

Report run(const Arguments& arguments, const Context& context) {
  const auto& [asked, variables, stop] = context;
  if (arguments.call_id && arguments.call_id->empty()) throw UsageError("--call-id is empty");
  const Environment environment = choose_environment(arguments.service, variables);
  const auto transport = make_transport(arguments.ca_file, variables);
  const std::optional<Caller> caller = choose_caller(environment, arguments, variables, stop, transport);
  if (caller) asked.account = caller->account;
  if (caller) asked.take(arguments.request, stop);
  if (!asked.request) return report_interrupted(asked);

  const auto journal = open_journal(arguments.journal);
  const RateLimiting rate_limiting =
      caller->has_token ? schedule(environment.api_url(), arguments.rates) : RateLimiting{RateLimit::off()};
  const SubscriptionClient client({.environment = environment,
                                   .token_source = caller->tokens,
                                   .transport = transport,
                                   .retry_policy = arguments.limits.retry_policy,
                                   .rate_limit = rate_limiting.limit,
                                   .journal = journal,
                                   .user_agent = "connectid-cli",
                                   .copies_as_text = arguments.request.copies_as_text});
  const auto result = client.start(
      *asked.request,
      {.timeout = arguments.limits.timeout, .stop_token = stop, .call_id = arguments.call_id.value_or("")});
  // A URL that was refused may hold a password.
  const bool refused = !result && result.error().kind() == ErrorKind::configuration_error;
  if (!refused) asked.api_url = environment.api_url();

  Report report = report_start(asked, result);
  report.held_until_told = std::make_shared<const TokenSource>(caller->tokens);
  if (const std::string why = rate_limiting.error(); !why.empty()) {
    report.err += warning(why + "; this run keeps the API's limits alone, whatever others on this machine send");
  }
  if (journal && !journal->error().empty()) report.err += warning(journal->error());
  return report;
}

Notes notes() {
  return {
      .summary = "Start one subscription, at most once",
      .paragraphs =
          // NOLINTNEXTLINE(bugprone-suspicious-missing-comma): a paragraph takes several lines
      {"The request is made of --json, of flags, or of both; flags win. Required are product, startTime, copies, "
       "couponCode and couponNumber.",
       "Connecting is retried for 20 s. A 429 is retried after the pause that it names. Requests that may have been "
       "processed are never retried.",
       "All runs of a user keep the API's limits together, by one file a host in $XDG_DATA_HOME/connectid (default: "
       "~/.local/share/connectid). If it cannot be written, a warning says so, and the run keeps the limits alone.",
       "The access token comes from the environment, or from an account that is logged in (connectid login, connectid "
       "token import); it is refreshed if it has expired. A single account for this API need not be named, unless the "
       "file of another cannot be used.",
       "--journal writes a line of JSON to the disk before each attempt, and one at the end; only its user can read "
       "the file (0600). A call without an end was interrupted: it may have started. If the first line cannot be "
       "written, nothing is sent.",
       one_json_object,
       "SIGINT, SIGTERM and SIGHUP cancel the call, and the result is still printed. A second one, half a second later "
       "or more, kills.",
       "A flag wins over its variable, and a variable over the default. There is no configuration file. A variable "
       "that is set but empty is an error."},
      .variables =
          joined({{variable::access_token,
                   "The customer's access token. Without it, and without an account, nothing is sent."},
                  {variable::access_token_file, "A file that holds the access token, instead of the variable."}},
                 network_variables()),
      .statuses = {{"0", "Started."},
                   {"1", "Internal error, or standard output cannot be written. It may have started."},
                   {"2", "Not started: usage, configuration, or a request that is not valid."},
                   {"3", "Not started: rejected by the API."},
                   {"4", "Not started: not authorised (no token, 401, 403, refused by the authorization server)."},
                   {"5", "Not started: rate-limited to the end (429)."},
                   {"6", "Outcome unknown: it may have started."},
                   {"7",
                    "Not started: no connection, to the authorization server either; or the deadline, a signal or the "
                    "journal ended the call before it was sent."}},
      .rule_for_scripts =
          "0 = started; 2, 3, 4, 5, 7 = not started; 6 and anything else = may have started: check, do not repeat.",
      .examples = {"export CONNECTID_ACCESS_TOKEN=...", "connectid start --environment test --product CO27409 \\",
                   "--start-date 2026-04-01 --copies 1 --coupon-code WMDigi --coupon-number 5223"}};
}

}  // namespace

Command commands::start(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  add_request(app, arguments->request);
  add_service(app, arguments->service);
  add_ca_file(app, arguments->ca_file);
  add_account(app, "Whose subscription it is: an account that is logged in", arguments->account);
  add_call_limits(app, arguments->limits);
  add(app, {"--call-id", "ID", "Sent as X-Request-Id, to identify the call; generated unless given"},
      arguments->call_id);
  add_rate(app, arguments->rates);
  add(app, {"--journal", "FILE", "Record there what is sent, before it is sent"}, arguments->journal);
  add_output(app);
  return {notes(), [arguments](const Context& context) { return run(*arguments, context); }};
}

}  // namespace connectid::cli
