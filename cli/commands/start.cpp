#include <connectid/journal/file_journal.hpp>
#include <memory>

#include "commands/command.hpp"
#include "input/client.hpp"

namespace connectid::cli {
namespace {

struct Arguments {
  RequestArguments request;
  ClientArguments client;
  std::optional<std::string> journal;
  std::optional<std::string> call_id;
};

std::shared_ptr<FileJournal> open_journal(const std::optional<std::string>& file) {
  if (!file) return nullptr;
  auto journal = FileJournal::open(*file);
  if (!journal) throw UsageError(journal.error().message());
  return *std::move(journal);
}

Report run(const Arguments& arguments, const Context& context) {
  const auto& [asked, variables, stop] = context;
  if (arguments.call_id && arguments.call_id->empty()) throw UsageError("--call-id is empty");
  std::optional<Caller> caller = choose_caller(arguments.client, variables, stop);
  if (caller) asked.account = caller->account;
  if (caller) asked.take(arguments.request, stop);
  if (!asked.request) return report_interrupted(asked);

  const auto journal = open_journal(arguments.journal);
  const RateLimiting rate_limiting = rate_limiting_of(*caller, arguments.client.rates);
  caller->options.journal = journal;
  caller->options.rate_limit = rate_limiting.limit;
  caller->options.copies_as_text = arguments.request.copies_as_text;
  const SubscriptionClient client(caller->options);
  const auto result = client.start(
      *asked.request,
      {.timeout = arguments.client.limits.timeout, .stop_token = stop, .call_id = arguments.call_id.value_or("")});
  // A URL that was refused may hold a password.
  const bool refused = !result && result.error().kind() == ErrorKind::configuration_error;
  if (!refused) asked.api_url = caller->options.environment.api_url();

  Report report = report_start(asked, result);
  report.held_until_told = std::make_shared<const TokenSource>(caller->options.token_source);
  report.err += warning(rate_limiting);
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
       "All runs of a user share the API's limits, through one file per host in $XDG_DATA_HOME/connectid (default: "
       "~/.local/share/connectid). If it cannot be written, a warning says so, and the run keeps to the limits by "
       "itself.",
       "The access token comes from the environment, or from an account that is logged in (connectid login, connectid "
       "token import); it is refreshed if it has expired. If exactly one account is logged in for "
       "this API, and the files of all accounts can be read, --account may be left out.",
       "--journal writes a line of JSON to the disk before each attempt, and one at the end; only its user can read "
       "the file (0600). A call without an end was interrupted: it may have started. If the first line cannot be "
       "written, nothing is sent.",
       one_json_object,
       "SIGINT, SIGTERM and SIGHUP cancel the call, and the result is still printed. A second one, half a second later "
       "or more, kills the program.",
       "A flag wins over its variable, and a variable over the default. But the URL of an API and the name of an "
       "environment together are an error, wherever each comes from. There is no configuration file. A variable that "
       "is set but empty is an error."},
      .variables = call_variables(),
      .statuses = {{"0", "Started."},
                   {"1", "Internal error, or standard output cannot be written. It may have started."},
                   {"2", "Not started: usage, configuration, or a request that is not valid."},
                   {"3", "Not started: rejected by the API."},
                   {"4", "Not started: not authorised (no token, 401, 403, refused by the authorization server)."},
                   {"5", std::string("Not started: ") + still_rate_limited},
                   {"6", "Outcome unknown: it may have started."},
                   {"7",
                    "Not started: no connection, to the authorization server either; or the deadline, a signal or the "
                    "journal ended the call before it was sent."}},
      .rule_for_scripts =
          "0 = started; 2, 3, 4, 5, 7 = not started; 6 and anything else = may have started: check, do not repeat.",
      .examples = {"export CONNECTID_ACCESS_TOKEN=...", "connectid start --environment test --product CO27409 \\",
                   "--start-date 2026-04-01 --copies 1 \\", "--coupon-code WMDigi --coupon-number 5223"}};
}

}  // namespace

Command commands::start(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  add_request(app, arguments->request);
  add_client_arguments(app, "Whose subscription it is: an account that is logged in", arguments->client);
  add(app, {"--call-id", "ID", "Sent as X-Request-Id, to identify the call; generated unless given"},
      arguments->call_id);
  add(app, {"--journal", "FILE", "Record each request in this file before it is sent"}, arguments->journal);
  add_output(app);
  return {notes(), [arguments](const Context& context) { return run(*arguments, context); }};
}

}  // namespace connectid::cli
