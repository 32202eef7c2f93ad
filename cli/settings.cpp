#include "settings.hpp"

namespace connectid::cli {
namespace {

std::optional<std::string> variable(const Variables& variables, const char* name) {
  std::optional<std::string> value = variables(name);
  if (value && value->empty()) throw UsageError(std::string(name) + " is set but empty: give it a value or unset it");
  return value;
}

Environment named(const std::string& where, const std::string& name) {
  if (name == "production") return Environment::production();
  if (name == "sweden") return Environment::sweden();
  if (name == "test") return Environment::test();
  throw UsageError(where + " is \"" + name + "\", and the environments are production, sweden and test");
}

}  // namespace

Environment choose_environment(const Arguments& arguments, const Variables& variables) {
  // All are looked at even where a flag decides: an empty one shows that somebody's set-up is not what they think.
  const auto api_url = variable(variables, "CONNECTID_API_URL");
  const auto login_url = variable(variables, "CONNECTID_LOGIN_URL");
  const auto name = variable(variables, "CONNECTID_ENVIRONMENT");
  for (const char* later : {"CONNECTID_ACCOUNT", "CONNECTID_ACCESS_TOKEN_FILE"}) {
    if (variables(later)) throw UsageError(std::string(later) + " is set, and this version cannot obey it: unset it");
  }
  if (login_url && !arguments.api_url && !api_url) {
    throw UsageError("CONNECTID_LOGIN_URL is set without an API URL: set CONNECTID_API_URL too, or unset it");
  }
  if (arguments.api_url && arguments.api_url->empty()) throw UsageError("--api-url is empty");
  if (arguments.api_url) return Environment::custom(*arguments.api_url, login_url.value_or(""));
  if (arguments.environment) return named("--environment", *arguments.environment);
  if (api_url && name) throw UsageError("CONNECTID_API_URL and CONNECTID_ENVIRONMENT are both set: unset one");
  if (api_url) return Environment::custom(*api_url, login_url.value_or(""));
  if (name) return named("CONNECTID_ENVIRONMENT", *name);
  return Environment::production();
}

Secret choose_token(const Variables& variables) { return variable(variables, "CONNECTID_ACCESS_TOKEN").value_or(""); }

}  // namespace connectid::cli
