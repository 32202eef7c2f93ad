#include "input/ca_file.hpp"

#include <cerrno>
#include <connectid/http/curl_transport.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace connectid::cli {
namespace {

/// A file of authorities, and who named it.
struct CaFile {
  std::string where = {};
  std::string name = {};  ///< empty: none, the system's
};

CaFile choose_ca_file(const std::optional<std::string>& flag, const Variables& variables) {
  // Read even where the flag decides, as the other variables are.
  const auto ours = value_of(variable::ca_file, variables);
  if (flag && flag->empty()) throw UsageError("--ca-file is empty");
  if (flag) return {"--ca-file", *flag};
  if (ours) return {variable::ca_file, *ours};
  // Not ours: empty means to OpenSSL's programs that it is not set.
  return {variable::ssl_cert_file, variables(variable::ssl_cert_file).value_or("")};
}

/// Why nobody could be trusted with it; empty: somebody can. The TLS library reads it again, at the first handshake: a
/// pipe would be empty by then.
std::string error_in(const std::string& name) {
  std::error_code error;
  const auto status = std::filesystem::status(name, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) return "it is not a regular file";
  errno = 0;
  std::ifstream in(name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad()) return std::generic_category().message(errno != 0 ? errno : EIO);
  // The end of the line: it may say BEGIN CERTIFICATE, BEGIN TRUSTED CERTIFICATE or BEGIN X509 CERTIFICATE.
  return text.find("CERTIFICATE-----") == std::string::npos ? "it holds no certificate (PEM)" : "";
}

}  // namespace

void add_ca_file(CLI::App& command, std::optional<std::string>& to) {
  add(command, {"--ca-file", "FILE", "Trust only the authorities in this PEM file, not the system's"}, to);
}

std::shared_ptr<http::Transport> make_transport(const std::optional<std::string>& ca_file, const Variables& variables) {
  const CaFile file = choose_ca_file(ca_file, variables);
  if (file.name.empty()) return std::make_shared<http::CurlTransport>();
  if (const std::string why = error_in(file.name); !why.empty()) {
    throw UsageError("the file of authorities \"" + file.name + "\" (" + file.where + ") cannot be used: " + why,
                     "configuration_error");
  }
  return std::make_shared<http::CurlTransport>(http::CurlOptions{.ca_file = file.name});
}

}  // namespace connectid::cli
