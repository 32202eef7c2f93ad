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

std::string names(const char* between) {
  std::string all;
  for (const NamedEnvironment& one : environments) all.append(all.empty() ? "" : between).append(one.name);
  return all;
}

/// A setting, and who gave it.
struct Given {
  std::string where;
  std::string value;
};

/// The flag over the variable. The variable is read anyway: an empty one shows that the set-up is not what its owner
/// thinks.
std::optional<Given> given(const char* flag, const std::optional<std::string>& value, const char* variable,
                           const Variables& variables) {
  const auto in_variable = value_of(variable, variables);
  if (value && value->empty()) throw UsageError(std::string(flag) + " is empty");
  if (value) return Given{flag, *value};
  if (in_variable) return Given{variable, *in_variable};
  return std::nullopt;
}

Environment named(const Given& name) {
  const auto* found = std::ranges::find(environments, name.value, &NamedEnvironment::name);
  if (found != std::end(environments)) return found->make();
  throw UsageError(name.where + " is \"" + name.value + "\"; the environments are " + names(", "));
}

}  // namespace

std::optional<std::string> value_of(const char* name, const Variables& variables) {
  std::optional<std::string> value = variables(name);
  if (value && value->empty()) throw UsageError(std::string(name) + " is set but empty: give it a value or unset it");
  return value;
}

void add_service(CLI::App& command, ServiceArguments& to) {
  add(command, {"--api-url", "URL", "Base URL of the API, before /v1/"}, to.api_url);
  add(command, {"--environment", names("|"), "The service to call", environments[0].name, "--api-url"}, to.environment);
}

Environment choose_environment(const ServiceArguments& arguments, const Variables& variables) {
  const auto url = given("--api-url", arguments.api_url, variable::api_url, variables);
  const auto name = given("--environment", arguments.environment, variable::environment, variables);
  const auto login_url = value_of(variable::login_url, variables);
  if (url && name) throw UsageError(url->where + " and " + name->where + " are both set: choose one");
  if (login_url && !url) {
    throw UsageError("CONNECTID_LOGIN_URL is set without an API URL: set CONNECTID_API_URL too, or unset it");
  }
  if (url) return Environment::custom(url->value, login_url.value_or(""));
  return name ? named(*name) : environments[0].make();
}

}  // namespace connectid::cli
