#include "commands/renew_all.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "input/text.hpp"
#include "output/times.hpp"

namespace connectid::cli {
namespace {

using json = nlohmann::ordered_json;
using std::chrono::steady_clock;

constexpr int workers = 8;

/// What became of an account.
struct Renewed {
  Timestamp until = {};
  std::optional<Error> error = {};  ///< none: it was renewed
};
using ByAccount = std::map<std::string, Renewed>;

/// Accounts whose tokens one client gets of one authorization server.
struct Group {
  auth::Credentials credentials;
  std::vector<Account> accounts;
};

/// The client's own accounts have no refresh token: nothing is lost with them. Nothing where a stop is requested first.
std::optional<std::vector<Group>> groups_of(const std::vector<Account>& accounts, const Environment& environment,
                                            const AccountArguments& arguments, const Context& context) {
  const auto id = client_id(arguments, context.variables);
  std::map<std::pair<std::string, std::string>, std::vector<Account>> by_client;
  for (const Account& account : accounts) {
    const auto& stored = account.stored;
    const bool is_meant = !stored.refresh_token.empty() && (!id || *id == stored.client_id);
    if (is_meant) by_client[{stored.client_id, stored.login_url}].push_back(account);
  }
  std::vector<Group> groups;
  for (auto& [client, its_accounts] : by_client) {
    auto credentials = credentials_of(its_accounts.front(), environment, arguments, context.variables, context.stop);
    if (!credentials) return std::nullopt;
    groups.push_back({*std::move(credentials), std::move(its_accounts)});
  }
  return groups;
}

/// An authorization server that cannot be reached is so for all, and 20 s for each would take a thousand accounts most
/// of an hour.
RetryPolicy soon_given_up(RetryPolicy policy) {
  policy.connect_for = std::chrono::seconds{1};
  return policy;
}

void renew(const Group& group, const std::shared_ptr<auth::TokenStore>& store, const RetryPolicy& retry_policy,
           steady_clock::time_point deadline, const std::stop_token& stop, ByAccount& renewed) {
  std::mutex mutex;
  std::condition_variable_any all_told;
  std::size_t untold = group.accounts.size();
  const auto tell = [&](const std::string& account, const Result<AccessToken>& token) {
    const std::lock_guard lock(mutex);
    Renewed& one = renewed[account];
    if (!token) one.error = token.error();
    if (--untold == 0) all_told.notify_all();
  };
  const auto on_event = [&](const auth::TokenEvent& event) {
    const std::lock_guard lock(mutex);
    if (event.kind == auth::TokenEvent::Kind::renewed) renewed[event.account].until = event.until.value_or(Timestamp{});
    if (event.kind != auth::TokenEvent::Kind::lost) return;
    tell_what_is_lost(event);
    renewed[event.account].error = event.error;
  };
  const auth::Accounts accounts(group.credentials, store,
                                {.workers = workers, .renewal = {.retry_policy = retry_policy}, .on_event = on_event});
  for (const Account& account : group.accounts) {
    if (stop.stop_requested() || steady_clock::now() >= deadline) {
      tell(account.name, token_error("the renewal has not begun, and there is no time left", {.temporary = true}));
      continue;
    }
    // As if the API had refused the token: so it is renewed while it lives.
    const auto there = accounts.source(account.name)
                           .get({.refused = account.stored.access_token},
                                [tell, name = account.name](const Result<AccessToken>& token) { tell(name, token); });
    if (there) tell(account.name, *there);
  }
  std::unique_lock lock(mutex);
  all_told.wait_until(lock, stop, deadline, [&] { return untold == 0; });
}  // here the accounts end: all is told then

/// The worst of them: a login is needed, something is to be fixed, it may pass.
int worst_status(const ByAccount& renewed, const std::vector<Error>& unusable) {
  std::vector<int> all;
  for (const auto& [account, one] : renewed) all.push_back(one.error ? status_of(*one.error) : 0);
  for (const Error& error : unusable) all.push_back(status_of(error));
  for (const int worst : {4, 2, 7}) {
    if (std::ranges::find(all, worst) != all.end()) return worst;
  }
  return 0;
}

json renewed_json(const std::string& account, const Renewed& one) {
  json described{{"account", account}};
  if (one.error) {
    described["outcome"] = must_log_in_again(*one.error) ? "log_in_again" : "failed";
    described["error"] = error_json(*one.error);
  } else {
    described["outcome"] = "renewed";
    described["access_token_expires_at"] = utc_for_machines(one.until);
  }
  return described;
}

std::string all_json(const ByAccount& renewed, const std::vector<Error>& unusable) {
  json all{{"accounts", json::array()}};
  for (const auto& [account, one] : renewed) all["accounts"].push_back(renewed_json(account, one));
  for (const Error& error : unusable) all["accounts"].push_back(renewed_json("", {.error = error}));
  return all.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

void add_line(Report& report, const std::string& account, const Renewed& one) {
  if (!one.error) {
    report.out += "renewed: " + printable(account) + ", access token until " + utc_for_people(one.until) + "\n";
  } else {
    report.err += must_log_in_again(*one.error) ? "log in again: " : "failed: ";
    report.err += printable(account) + ": " + one.error->message() + "\n";
  }
}

}  // namespace

Report renew_all(const Environment& environment, const std::shared_ptr<http::Transport>& transport,
                 const AccountArguments& arguments, const CallLimits& limits, const Context& context) {
  const auto deadline = limits.timeout ? steady_clock::now() + *limits.timeout : steady_clock::time_point::max();
  const auto store = token_store();
  const auto [accounts, unusable] = kept_accounts(environment, *store);
  auto groups = groups_of(accounts, environment, arguments, context);
  if (!groups) return report_interrupted(context.asked);
  ByAccount renewed;
  for (Group& group : *groups) {
    group.credentials.transport = transport;
    renew(group, store, soon_given_up(limits.retry_policy), deadline, context.stop, renewed);
  }
  Report report{.status = worst_status(renewed, unusable)};
  if (context.asked.output == Output::json) {
    report.out = all_json(renewed, unusable);
  } else {
    for (const auto& [account, one] : renewed) add_line(report, account, one);
    for (const Error& error : unusable) report.err += "cannot be used: " + error.message() + "\n";
  }
  if (renewed.empty()) report.err += "no customer's account is kept for " + environment.api_url() + "\n";
  return report;
}

}  // namespace connectid::cli
