#pragma once

#include <connectid/environment.hpp>
#include <functional>
#include <optional>
#include <string>

#include "input/options.hpp"

namespace connectid::cli {

/// The environment variables that the program reads.
namespace variable {
inline constexpr auto access_token = "CONNECTID_ACCESS_TOKEN";
inline constexpr auto access_token_file = "CONNECTID_ACCESS_TOKEN_FILE";
inline constexpr auto account = "CONNECTID_ACCOUNT";
inline constexpr auto api_url = "CONNECTID_API_URL";
inline constexpr auto ca_file = "CONNECTID_CA_FILE";
inline constexpr auto client_authentication = "CONNECTID_CLIENT_AUTHENTICATION";
inline constexpr auto client_id = "CONNECTID_CLIENT_ID";
inline constexpr auto client_secret = "CONNECTID_CLIENT_SECRET";
inline constexpr auto client_secret_file = "CONNECTID_CLIENT_SECRET_FILE";
inline constexpr auto environment = "CONNECTID_ENVIRONMENT";
inline constexpr auto login_url = "CONNECTID_LOGIN_URL";
inline constexpr auto ssl_cert_file = "SSL_CERT_FILE";
}  // namespace variable

/// Reads one environment variable.
using Variables = std::function<std::optional<std::string>(const char* name)>;

/// Its value, where it is set. Set but empty is a UsageError.
[[nodiscard]] std::optional<std::string> value_of(const char* name, const Variables& variables);

/// Whose service is called, as the flags say.
struct ServiceArguments {
  std::optional<std::string> api_url;
  std::optional<std::string> environment;
};
/// --api-url and --environment.
void add_service(CLI::App& command, ServiceArguments& to);

/// Flag over environment variable over default (production). A URL and the name of an environment, wherever each comes
/// from, are a UsageError: one of them would be ignored. So is a variable that is set but empty: an empty URL must not
/// mean production.
[[nodiscard]] Environment choose_environment(const ServiceArguments& arguments, const Variables& variables);

}  // namespace connectid::cli
