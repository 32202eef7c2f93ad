#include "notes.hpp"

#include "settings.hpp"

namespace connectid::cli {
namespace {

// Help that was asked for ends with 0, as it does everywhere; so the rule has to say it.
constexpr auto rule_for_scripts =
    "0 = started (or help or the version was asked for); 2, 3, 4, 5, 7 = not started; 6 and anything else (1, 124, "
    "137, ...) = may have started: look, do not repeat.";

constexpr auto one_json_object =
    "Results go to standard output, all else to standard error. With --output json standard output holds one JSON "
    "object and nothing else, usage errors included; only --help prints its text all the same.";

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
       "A request that never had a connection is sent again after a pause; so is one that was answered with 429 "
       "and a pause to wait. One that may have acted is never sent again.",
       "All runs of a user stay inside the API's limits together, by a file in $XDG_DATA_HOME/connectid (else "
       "~/.local/share/connectid), one for each host. Where it cannot be written, a warning says so, and the run "
       "keeps the limits by itself.",
       "--journal writes a line of JSON before each attempt and one at the end, on the disk before the call goes "
       "on, for its user alone to read (0600). A call without its end there was under way when the program died: "
       "it may have started. Where the first line cannot be written, nothing is sent.",
       one_json_object,
       "SIGINT, SIGTERM and SIGHUP cancel the call, and the answer is still printed; one that comes half a second "
       "later or more kills.",
       "A flag wins over a variable, and a variable over the default; there is no configuration file. A "
       "variable that is set but empty is an error, so that an empty URL cannot mean production."},
      .variables = {{variable::access_token, "The customer's access token. Without one nothing is sent."},
                    {variable::access_token_file, "A file that holds the access token, in place of the variable."},
                    {variable::api_url, std::string("As --api-url. Not together with ") + variable::environment + "."},
                    {variable::environment, "As --environment."},
                    {variable::login_url, "Base of the login's URLs, beside an API URL only."},
                    {variable::account, "Not obeyed by this version, so it is an error to set it."}},
      .statuses = {{"0", "Started; or help or the version was asked for."},
                   {"1", "A fault of the program, or standard output cannot be written. It may have started."},
                   {"2", "Not started: usage, configuration, or a request that is not valid."},
                   {"3", "Not started: rejected by the API."},
                   {"4", "Not started: not authorised (no token, 401, 403)."},
                   {"5", "Not started: rate-limited to the end (429)."},
                   {"6", "Outcome unknown: it may have started."},
                   {"7", "Not started: no connection; or time, a signal or the journal ended it before it was sent."}},
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

Notes fake_server() {
  return {.paragraphs =
              {"Its first line is \"listening http://127.0.0.1:PORT\", as soon as it accepts connections. It lets "
               "in the access token \"test-token\". GET /__connectid/log answers what was received, as JSON. "
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
  if (name == "fake-server") return fake_server();
  return program();
}

}  // namespace connectid::cli
