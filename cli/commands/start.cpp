#include "commands/start.hpp"

#include <condition_variable>
#include <connectid/journal/file_journal.hpp>
#include <connectid/testing/fake_server.hpp>
#include <iostream>
#include <memory>
#include <mutex>
#include <system_error>
#include <utility>

#include "input/accounts.hpp"
#include "input/ca_file.hpp"
#include "input/rate_limiting.hpp"
#include "input/request.hpp"
#include "input/secret_input.hpp"

namespace connectid::cli {

namespace {

Error interrupted() {
  return {Outcome::not_sent, Cancelled{Stage::prepare}, "not sent: cancelled before all input was read"};
}

std::shared_ptr<FileJournal> open_journal(const std::optional<std::string>& file) {
  if (!file) return nullptr;
  auto journal = FileJournal::open(*file);
  if (!journal) throw UsageError(journal.error().message());
  return *std::move(journal);
}

/// Whose call it is, and where the tokens come from.
struct Caller {
  std::string account = {};  ///< empty: nobody's that is known by a name
  TokenSource tokens = nullptr;
  bool has_token = true;  ///< or may get one
};

Caller nobody(const std::optional<std::string>& account, const Environment& environment) {
  std::string why = not_logged_in(account, environment);
  if (!account) why = "CONNECTID_ACCESS_TOKEN is not set, nor is CONNECTID_ACCESS_TOKEN_FILE, and " + why;
  const auto refuse = [why](const TokenRequest&) -> Result<AccessToken> { return token_error(why); };
  return {.account = account.value_or(""), .tokens = refuse, .has_token = false};
}

/// A flag over the variables; what no variable says either, the store may know. Nothing where a stop is requested.
std::optional<Caller> choose_caller(const Environment& environment, const Arguments& arguments,
                                    const Variables& variables, const std::stop_token& stop,
                                    const std::shared_ptr<http::Transport>& transport) {
  const auto name = named_account(arguments, variables);
  const auto token = read_secret(variable::access_token, variable::access_token_file, variables, stop);
  if (!token) return std::nullopt;
  if (name && !arguments.account && !token->empty()) {
    throw UsageError(
        "CONNECTID_ACCOUNT and an access token (CONNECTID_ACCESS_TOKEN, CONNECTID_ACCESS_TOKEN_FILE) are "
        "both set: unset one");
  }
  if (!name && !token->empty()) return Caller{.tokens = static_token(*token)};
  const auto store = token_store();
  const auto account = find_account(name, environment, *store);
  if (!account) return nobody(name, environment);
  auto credentials = credentials_of(*account, environment, arguments, variables, stop);
  if (!credentials) return std::nullopt;
  credentials->transport = transport;
  return Caller{.account = account->name, .tokens = source_of(*account, *std::move(credentials), store, arguments)};
}

}  // namespace

Report start(const Arguments& arguments, Asked& asked, const Variables& variables, std::stop_token stop) {
  if (arguments.call_id && arguments.call_id->empty()) throw UsageError("--call-id is empty");
  const Environment environment = choose_environment(arguments, variables);
  const auto transport = make_transport(arguments, variables);
  const std::optional<Caller> caller = choose_caller(environment, arguments, variables, stop, transport);
  if (caller) asked.account = caller->account;
  if (caller) asked.request = read_request(arguments.request, stop);
  if (!asked.request) return report_start(asked, interrupted());

  const auto journal = open_journal(arguments.journal);
  const RateLimiting rate_limiting =
      caller->has_token ? schedule(environment.api_url(), arguments.rates) : RateLimiting{RateLimit::off()};
  const SubscriptionClient client({.environment = environment,
                                   .token_source = caller->tokens,
                                   .transport = transport,
                                   .retry_policy = arguments.retry_policy,
                                   .rate_limit = rate_limiting.limit,
                                   .journal = journal,
                                   .user_agent = "connectid-cli",
                                   .copies_as_text = arguments.copies_as_text});
  const auto result = client.start(
      *asked.request,
      {.timeout = arguments.timeout, .stop_token = std::move(stop), .call_id = arguments.call_id.value_or("")});
  // A URL that was refused may hold a password.
  const bool refused = !result && result.error().kind() == ErrorKind::configuration_error;
  if (!refused) asked.api_url = environment.api_url();

  Report report = report_start(asked, result);
  report.held_until_told = std::make_shared<const TokenSource>(caller->tokens);
  if (const std::string why = rate_limiting.error(); !why.empty()) {
    report.err += warning(why + "; so this run keeps the API's limits by itself, whatever others on this machine send");
  }
  if (journal && !journal->error().empty()) report.err += warning(journal->error());
  return report;
}

Report validate_only(const Arguments& arguments, Asked& asked, const std::stop_token& stop) {
  asked.request = read_request(arguments.request, stop);
  if (!asked.request) return report_start(asked, interrupted());
  return report_validation(asked, validate(*asked.request));
}

Report fake_server(const Arguments& arguments, const std::stop_token& stop) {
  std::unique_ptr<testing::FakeServer> server;
  try {
    const testing::FakeServerOptions options{.port = static_cast<std::uint16_t>(arguments.port)};
    server = std::make_unique<testing::FakeServer>(options);
  } catch (const std::system_error& error) {
    if (arguments.port == 0) throw;
    return {.status = 2,
            .err = "connectid: port " + std::to_string(arguments.port) +
                   " of 127.0.0.1 cannot be had: " + error.code().message() + "\n"};
  }
  // Flushed: others wait for this line. Who cannot read it will never find the server.
  if (!(std::cout << "listening " << server->url() << std::endl)) {
    return {.status = 1, .err = "connectid: standard output cannot be written, so nobody learns the port\n"};
  }
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
  return {};
}

}  // namespace connectid::cli
