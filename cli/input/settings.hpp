#pragma once

#include <connectid/environment.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "commands/command_line.hpp"

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

/// What --environment and CONNECTID_ENVIRONMENT may be; the first is the default.
[[nodiscard]] std::vector<std::string> environment_names();

/// Flag over environment over default (production). A variable that is set but empty is a UsageError, never the
/// default: an empty URL must not come to mean production.
[[nodiscard]] Environment choose_environment(const Arguments& arguments, const Variables& variables);

}  // namespace connectid::cli
