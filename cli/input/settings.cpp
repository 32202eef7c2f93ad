#include "input/settings.hpp"

#include <algorithm>
#include <iterator>

namespace connectid::cli {
namespace {

struct NamedEnvironment {
  const char* name;
  Environment (*make)();
};
constexpr NamedEnvironment environments[] = {
    {"production", Environment::production}, {"sweden", Environment::sweden}, {"test", Environment::test}};

Environment named(const std::string& where, const std::string& name) {
  const auto* found = std::ranges::find(environments, name, &NamedEnvironment::name);
  if (found != std::end(environments)) return found->make();
  std::string names;
  for (const std::string& one : environment_names()) names.append(names.empty() ? "" : ", ").append(one);
  throw UsageError(where + " is \"" + name + "\", and the environments are " + names);
}

}  // namespace

std::optional<std::string> value_of(const char* name, const Variables& variables) {
  std::optional<std::string> value = variables(name);
  if (value && value->empty()) throw UsageError(std::string(name) + " is set but empty: give it a value or unset it");
  return value;
}

std::vector<std::string> environment_names() {
  std::vector<std::string> names;
  for (const NamedEnvironment& one : environments) names.emplace_back(one.name);
  return names;
}

Environment choose_environment(const Arguments& arguments, const Variables& variables) {
  // All are looked at even where a flag decides: an empty one shows that somebody's set-up is not what they think.
  const auto api_url = value_of(variable::api_url, variables);
  const auto login_url = value_of(variable::login_url, variables);
  const auto name = value_of(variable::environment, variables);
  if (login_url && !arguments.api_url && !api_url) {
    throw UsageError("CONNECTID_LOGIN_URL is set without an API URL: set CONNECTID_API_URL too, or unset it");
  }
  if (arguments.api_url && arguments.api_url->empty()) throw UsageError("--api-url is empty");
  if (arguments.api_url) return Environment::custom(*arguments.api_url, login_url.value_or(""));
  if (arguments.environment) return named("--environment", *arguments.environment);
  if (api_url && name) throw UsageError("CONNECTID_API_URL and CONNECTID_ENVIRONMENT are both set: unset one");
  if (api_url) return Environment::custom(*api_url, login_url.value_or(""));
  if (name) return named(variable::environment, *name);
  return environments[0].make();
}

}  // namespace connectid::cli
