#include "http/libcurl.hpp"

#include <openssl/crypto.h>

#include <memory>

namespace connectid::inline v0::detail {

std::string error_in(const curl_version_info_data& version) {
  constexpr unsigned oldest = 0x075800;  // 7.88: before, CONNECT_ONLY through a proxy fails in a multi handle
  if (version.version_num < oldest) {
    return std::string("libcurl 7.88 or newer is needed, and this process runs with ") + version.version;
  }
  if (!(version.features & CURL_VERSION_SSL)) return "this libcurl was built without TLS";
  if (!(version.features & CURL_VERSION_ASYNCHDNS)) {
    return "this libcurl was built without an asynchronous resolver: a look-up could not be ended in time";
  }
  return {};
}

namespace {

Libcurl ask() {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return {.error = "libcurl could not be initialised"};
  const curl_version_info_data& version = *curl_version_info(CURLVERSION_NOW);
  Libcurl known{.error = error_in(version)};
  if (!known.error.empty()) return known;  // an older one does not have the fields below
  if (version.cainfo) known.authorities_file = version.cainfo;
  if (version.capath) known.authorities_path = version.capath;
  const std::string ours = std::string("OpenSSL/") + OpenSSL_version(OPENSSL_VERSION_STRING);
  known.has_our_openssl = version.ssl_version && version.ssl_version == ours;
  return known;
}

}  // namespace

const Libcurl& libcurl() {
  static const Libcurl* const known = std::make_unique<Libcurl>(ask()).release();
  return *known;
}

}  // namespace connectid::inline v0::detail
