#include <nlohmann/json.hpp>
#include <utility>

#include "commands/command.hpp"
#include "input/accounts.hpp"
#include "input/text.hpp"
#include "output/times.hpp"

namespace connectid::cli {
namespace {

using json = nlohmann::ordered_json;

json account_json(const auth::StoredAccount& account) {
  const auth::StoredToken token = account.token.value_or(auth::StoredToken{});
  json one;
  one["account"] = account.name;
  one["api_url"] = token.api_url;
  one["login_url"] = token.login_url;
  one["client_id"] = token.client_id;
  one["access_token_expires_at"] = nullptr;
  if (!token.access_token.empty()) one["access_token_expires_at"] = utc_for_machines(token.expires_at);
  one["has_refresh_token"] = !token.refresh_token.empty();
  one["log_in_again"] = account.token ? !token.refused.empty() : must_log_in_again(account.token.error());
  one["refused"] = nullptr;
  if (!token.refused.empty()) one["refused"] = token.refused;
  if (!account.token) one["error"] = account.token.error().message();
  return one;
}

std::string account_line(const auth::StoredAccount& account) {
  if (!account.token) return "  cannot be used: " + account.token.error().message() + "\n";
  const auto& [access_token, obtained_at, expires_at, refresh_token, api_url, login_url, client_id, refused] =
      *account.token;
  std::string line =
      printable(account.name) + "\n  " + printable(api_url) + ", client " + printable(client_id) + "\n  ";
  line += access_token.empty() ? "no access token yet" : "access token until " + utc_for_people(expires_at);
  if (!refused.empty())
    return line + "; must log in again: its refresh token was refused (" + printable(refused) + ")\n";
  return line + (refresh_token.empty() ? "; no refresh token\n" : "; renewed by its refresh token\n");
}

Report run(const Context& context) {
  const auto accounts = token_store()->accounts();
  if (!accounts) throw UsageError(accounts.error().message());
  if (context.asked.output == Output::json) {
    json all{{"accounts", json::array()}};
    for (const auth::StoredAccount& account : *accounts) all["accounts"].push_back(account_json(account));
    return {.out = all.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"};
  }
  Report report;
  for (const auth::StoredAccount& account : *accounts) report.out += account_line(account);
  if (accounts->empty()) report.err = "nobody is logged in\n";
  return report;
}

}  // namespace

Command commands::accounts(CLI::App& app) {
  add_output(app);
  Notes notes{.summary = "List the accounts that are logged in",
              .paragraphs = {"Lists each account: the API that its tokens are for, the client, and when its access "
                             "token expires; and whether it must log in again, for its refresh token was refused. No "
                             "token is printed.",
                             where_tokens_are,
                             "With --output json, standard output holds one JSON object: {\"accounts\":[...]}."},
              .statuses = {{"0", "Listed, even if there is none."},
                           {"1", internal_error},
                           {"2", "Usage error, or the token directory cannot be used."}},
              .examples = {"connectid accounts --output json"}};
  return {std::move(notes), run};
}

}  // namespace connectid::cli
