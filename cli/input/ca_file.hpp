#pragma once

#include <connectid/http/transport.hpp>
#include <memory>
#include <optional>
#include <string>

#include "input/settings.hpp"

namespace connectid::cli {

/// --ca-file.
void add_ca_file(CLI::App& command, std::optional<std::string>& to);

/// What all requests of a run go through, to the API and to the authorization server. It trusts the authorities of
/// --ca-file, else of CONNECTID_CA_FILE, else of SSL_CERT_FILE, else the system's. Throws UsageError, with the kind
/// configuration_error, where that file cannot be read or holds no certificate: before anything is asked for or sent.
[[nodiscard]] std::shared_ptr<http::Transport> make_transport(const std::optional<std::string>& ca_file,
                                                              const Variables& variables);

}  // namespace connectid::cli
