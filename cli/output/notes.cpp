#include "output/notes.hpp"

#include "input/settings.hpp"

namespace connectid::cli {

Entries joined(Entries first, const Entries& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Entries login_variables() {
  return {{variable::account, "As --account."},
          {variable::client_id, "The client. Default: the one that the account was logged in with."},
          {variable::client_secret, "The client's secret, for a login and for refreshing a token."},
          {variable::client_secret_file, "A file that holds the secret, instead of the variable."},
          {variable::client_authentication,
           "How the client authenticates: basic (HTTP Basic, the default) or body (in the form)."},
          {variable::api_url, "As --api-url."},
          {variable::environment, "As --environment."},
          {variable::login_url, "Base URL of the authorization server; only beside an API URL."}};
}

Entries network_variables() {
  return joined(login_variables(),
                {{variable::ca_file, "As --ca-file."},
                 {variable::ssl_cert_file, std::string("The same, if neither --ca-file nor ") + variable::ca_file +
                                               " is given. Empty: the system's authorities are trusted."}});
}

Entries token_statuses(const std::string& done) {
  return {{"0", done},
          {"1", internal_error},
          {"2", "Usage error, or the token directory, a file in it or a named file cannot be used."},
          {"4", "The authorization server refused, or a login is needed."},
          {"7",
           "Temporary: the authorization server was not reached, was busy or too slow; a token could not be kept; or a "
           "signal came first."}};
}

}  // namespace connectid::cli
