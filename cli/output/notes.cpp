#include "output/notes.hpp"

#include "input/settings.hpp"

namespace connectid::cli {
namespace {

// Help that was asked for ends with 0, as it does everywhere; so the rule has to say it.
constexpr auto rule_for_scripts =
    "0 = started (or help or the version was asked for); 2, 3, 4, 5, 7 = not started; 6 and anything else (1, 124, "
    "137, ...) = may have started: look, do not repeat.";

constexpr auto one_json_object =
    "Results go to standard output, all else to standard error. With --output json standard output holds one JSON "
    "object and nothing else, usage errors included; only --help prints its text all the same.";

// ---- variables that several commands read

std::vector<Entry> joined_entries(std::vector<Entry> first, const std::vector<Entry>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

std::vector<Entry> service_variables() {
  return {{variable::api_url, std::string("As --api-url. Not together with ") + variable::environment + "."},
          {variable::environment, "As --environment."},
          {variable::login_url, "Base of the authorization server's URLs, beside an API URL only."}};
}

std::vector<Entry> ca_file_variables() {
  return {{variable::ca_file, "As --ca-file."},
          {variable::ssl_cert_file, std::string("The same, where neither --ca-file nor ") + variable::ca_file +
                                        " is given; where it is empty, the system's authorities are trusted."}};
}

std::vector<Entry> client_variables() {
  return {{variable::client_id, "The client that asks for tokens; else the one that the account was logged in with."},
          {variable::client_secret, "Its secret, for a login and whenever a token must be renewed."},
          {variable::client_secret_file, "A file that holds the secret, in place of the variable."},
          {variable::client_authentication,
           "How the client proves who it is: basic (HTTP Basic, the default) or body (in the form)."}};
}

std::vector<Entry> account_variable() { return {{variable::account, "As --account."}}; }

std::vector<Entry> login_variables() {
  return joined_entries(account_variable(), joined_entries(client_variables(), service_variables()));
}

/// Of a command that goes over the network.
std::vector<Entry> network_variables() { return joined_entries(login_variables(), ca_file_variables()); }

std::vector<Entry> token_statuses(const std::string& done) {
  return {{"0", done + "; or help was asked for."},
          {"1", "A fault of the program, or standard output cannot be written."},
          {"2", "Usage, or the directory of tokens, a file in it, or a file that is named cannot be used."},
          {"4", "The authorization server refused; or somebody has to log in, or to log in again."},
          {"7",
           "The authorization server was not reached, was busy, or had no time; a token could not be kept; or a signal "
           "came first."}};
}

constexpr auto where_tokens_are =
    "Tokens are kept in $XDG_DATA_HOME/connectid/tokens (else ~/.local/share/connectid/tokens), a file for each "
    "account, for their user's eyes only. They are used for the API and the authorization server that they were got "
    "for, and for no "
    "other. A client secret is never kept.";

std::vector<std::string> start_example() {
  return {
      "export CONNECTID_ACCESS_TOKEN=...",
      "connectid start --environment test --product CO27409 \\",
      "  --start-date 2026-04-01 --copies 1 --coupon-code WMDigi --coupon-number 5223",
      "case $? in",
      "  0) echo 'started' ;;",
      "  2 | 3 | 4 | 5 | 7) echo 'not started' ;;",
      "  *) echo 'may have started: look, do not repeat' ;;",
      "esac",
  };
}

Notes program() {
  return {.paragraphs = {"A start is a purchase, and the API cannot recognise a repeated one. So each start ends in "
                         "one true word: started, not sent, rejected or unknown.",
                         "\"connectid COMMAND --help\" tells of each command."},
          .rule_for_scripts = "Of connectid start: " + std::string(rule_for_scripts),
          .example = start_example()};
}

Notes start() {
  return {
      .paragraphs =
          // NOLINTNEXTLINE(bugprone-suspicious-missing-comma): no line is a paragraph, they are longer
      {"The request is made of --json, of flags, or of both: flags win. It needs product, startTime, "
       "copies, couponCode and couponNumber.",
       "A request that never had a connection is tried again for 20 s; so is, after a pause, one that was answered "
       "with 429 "
       "and a pause to wait. One that may have acted is never sent again.",
       "All runs of a user stay inside the API's limits together, by a file in $XDG_DATA_HOME/connectid (else "
       "~/.local/share/connectid), one for each host. Where it cannot be written, a warning says so, and the run "
       "keeps the limits by itself.",
       "The access token is the one in the environment, or that of an account which was logged in before (connectid "
       "login, connectid token import), renewed where it has expired. With one account for this API, it need not be "
       "named, unless the file of another cannot be used. One that is named must be logged in.",
       "--journal writes a line of JSON before each attempt and one at the end, on the disk before the call goes "
       "on, for its user alone to read (0600). A call without its end there was under way when the program died: "
       "it may have started. Where the first line cannot be written, nothing is sent.",
       one_json_object,
       "SIGINT, SIGTERM and SIGHUP cancel the call, and the response is still printed; one that comes half a second "
       "later or more kills.",
       "A flag wins over a variable, and a variable over the default; there is no configuration file. A "
       "variable that is set but empty is an error, so that an empty URL cannot mean production."},
      .variables = joined_entries(
          {{variable::access_token,
            "The customer's access token. Without one, and without an account, nothing is sent."},
           {variable::access_token_file, "A file that holds the access token, in place of the variable."}},
          network_variables()),
      .statuses = {{"0", "Started; or help or the version was asked for."},
                   {"1", "A fault of the program, or standard output cannot be written. It may have started."},
                   {"2", "Not started: usage, configuration, or a request that is not valid."},
                   {"3", "Not started: rejected by the API."},
                   {"4", "Not started: not authorised (no token, 401, 403, refused by the authorization server)."},
                   {"5", "Not started: rate-limited to the end (429)."},
                   {"6", "Outcome unknown: it may have started."},
                   {"7",
                    "Not started: no connection, to the authorization server either; or time, a signal or the journal "
                    "ended it before "
                    "it was sent."}},
      .rule_for_scripts = rule_for_scripts,
      .example = start_example()};
}

Notes validate() {
  return {.paragraphs = {"Takes the same input as connectid start, and needs neither a token nor a network. Prints the "
                         "body that would be sent, and what its times are on the clocks of the zone.",
                         one_json_object},
          .statuses = {{"0", "Valid; or help was asked for."},
                       {"1", "A fault of the program, or standard output cannot be written."},
                       {"2", "Not valid, or usage."},
                       {"7", "A signal came before the request was read."}},
          .rule_for_scripts =
              "0 = valid (or help was asked for); anything else = not valid, or not known. Nothing was sent.",
          .example = {"connectid validate --json order.json --start-date 2026-04-01"}};
}

Notes login() {
  return {
      .paragraphs = {"Asks the authorization server for an access token with the client's own id and secret, and keeps "
                     "it: for the "
                     "client API, and for all that takes --account. A token that is kept already is replaced, and a "
                     "broken file of one put aside.",
                     "The secret is read from a variable or a file, or asked for at the terminal, which does not show "
                     "it. No flag takes it, for flags can be read by everybody on the machine.",
                     where_tokens_are},
      .variables = network_variables(),
      .statuses = token_statuses("Logged in"),
      .rule_for_scripts = "0 = logged in (or help was asked for); 7 = may pass, try again later; anything else = no.",
      .example = {"export CONNECTID_CLIENT_SECRET_FILE=/run/secrets/connectid",
                  "connectid login --client-credentials --environment test --client-id shop"}};
}

Notes token() {
  return {
      .paragraphs = {"Prints the account's access token and a line break, for other programs to use. One that has "
                     "expired is renewed first. To a terminal it prints only with --show. Where standard output cannot "
                     "be written, the token is printed nowhere.",
                     where_tokens_are},
      .variables = network_variables(),
      .statuses = token_statuses("Printed"),
      .rule_for_scripts =
          "0 = standard output holds a token (or help was asked for); 7 = may pass, try again later; anything else = "
          "no token.",
      .example = {"CONNECTID_ACCESS_TOKEN=$(connectid token --account anna --environment test)"}};
}

Notes token_import() {
  return {
      .paragraphs = {"Reads one refresh token from standard input, without showing it where that is a terminal, and "
                     "keeps it as the account's. Nothing is asked of the authorization server yet: the first use does "
                     "that. What was "
                     "kept of the account before is replaced.",
                     where_tokens_are},
      .variables = login_variables(),
      .statuses = token_statuses("Kept"),
      .rule_for_scripts = "0 = kept (or help was asked for); anything else = not kept.",
      .example = {"connectid token import --account anna --client-id shop \\", "  --environment test <refresh-token"}};
}

Notes accounts() {
  return {
      .paragraphs = {"Lists each account: the API that its tokens are for, the client, and until when its access token "
                     "is good. No token is printed.",
                     where_tokens_are,
                     "With --output json standard output holds one JSON object: {\"accounts\":[...]}."},
      .statuses = {{"0", "Listed, be it none; or help was asked for."},
                   {"1", "A fault of the program, or standard output cannot be written."},
                   {"2", "Usage, or the directory of tokens cannot be used."}},
      .rule_for_scripts = "0 = standard output holds all accounts (or help was asked for).",
      .example = {"connectid accounts --output json"}};
}

Notes logout() {
  return {
      .paragraphs =
          {"Forgets the account's tokens on this machine. The authorization server is not told: a refresh token that "
           "somebody has copied stays good until it expires or is revoked there.",
           where_tokens_are},
      .variables = account_variable(),
      .statuses = {{"0", "Forgotten, or there was nothing to forget; or help was asked for."},
                   {"1", "A fault of the program, or standard output cannot be written."},
                   {"2", "Usage, or the directory of tokens cannot be used; or none is named, and a file cannot be."},
                   {"7", "The account is locked by a renewal; or a signal came first."}},
      .rule_for_scripts = "0 = nothing is kept of the account (or help was asked for); anything else = it may be.",
      .example = {"connectid logout --account anna"}};
}

Notes fake_server() {
  return {
      .paragraphs =
          {"Its first line is \"listening http://127.0.0.1:PORT\", as soon as it accepts connections. It lets "
           "in the access token \"test-token\". It is the authorization server, too: for the client \"test-client\" "
           "with the secret "
           "\"test-secret\", and the refresh token \"test-refresh-token\", with that URL as CONNECTID_LOGIN_URL. GET "
           "/__connectid/log returns what was received, as JSON. "
           "SIGINT, SIGTERM and SIGHUP end it."},
      .statuses = {{"0", "Ended by a signal; or help was asked for."},
                   {"1", "A fault of the program, or standard output cannot be written."},
                   {"2", "Usage, or the port cannot be had."}},
      .rule_for_scripts =
          "Wait for its first line, and then send; end it with SIGTERM, after which 0 = it was there "
          "all the time.",
      .example = {"connectid fake-server --port 8080 >server.log &",
                  "until grep -q listening server.log; do sleep 0.1; done",
                  "CONNECTID_ACCESS_TOKEN=test-token connectid start \\",
                  "  --api-url http://127.0.0.1:8080 --json order.json"}};
}

}  // namespace

Notes notes_on(const std::string& name) {
  if (name == "start") return start();
  if (name == "validate") return validate();
  if (name == "login") return login();
  if (name == "token") return token();
  if (name == "token import") return token_import();
  if (name == "accounts") return accounts();
  if (name == "logout") return logout();
  if (name == "fake-server") return fake_server();
  return program();
}

}  // namespace connectid::cli
