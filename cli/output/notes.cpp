#include "output/notes.hpp"

#include <initializer_list>

#include "input/settings.hpp"

namespace connectid::cli {

namespace {

Entries joined(std::initializer_list<Entries> parts) {
  Entries all;
  for (const Entries& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Entries access_token() {
  return {{variable::access_token, "The customer's access token. Without it, and without an account, nothing is sent."},
          {variable::access_token_file, "A file that holds the access token, instead of the variable."}};
}

Entries client(const char* id) { return {{variable::account, "As --account."}, {variable::client_id, id}}; }

Entries client_secret() {
  return {{variable::client_secret, "The client's secret, for a login and for refreshing a token."},
          {variable::client_secret_file, "A file that holds the secret, instead of the variable."},
          {variable::client_authentication,
           "How the client authenticates: basic (HTTP Basic, the default) or body (in the form)."}};
}

Entries service() {
  return {{variable::api_url, "As --api-url."},
          {variable::environment, "As --environment."},
          {variable::login_url, "Base URL of the authorization server; only beside an API URL."}};
}

Entries authorities() {
  return {{variable::ca_file, "As --ca-file."},
          {variable::ssl_cert_file, std::string("Used if neither --ca-file nor ") + variable::ca_file +
                                        " is given. If it is empty, the system's authorities are trusted."}};
}

constexpr auto as_client_id = "As --client-id.";

}  // namespace

Entries call_variables() { return joined({access_token(), refresh_variables()}); }

Entries refresh_variables() {
  const Entries any_client = client("The client. Default: the one that the account was logged in with.");
  return joined({any_client, client_secret(), service(), authorities()});
}

Entries login_variables() { return joined({client(as_client_id), client_secret(), service(), authorities()}); }

Entries import_variables() { return joined({client(as_client_id), service()}); }

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
