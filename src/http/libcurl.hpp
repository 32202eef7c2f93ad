#pragma once

#include <curl/curl.h>

#include <string>

namespace connectid::inline v0::detail {

/// What there is to know of the libcurl that this process has loaded.
struct Libcurl {
  std::string error = {};             ///< why it cannot be used; empty: it can
  std::string authorities_file = {};  ///< that it was built to trust; empty: none
  std::string authorities_path = {};  ///< likewise, a directory
  bool has_our_openssl = false;       ///< its TLS is the OpenSSL that this library is linked with
};

/// Why a libcurl that says this of itself cannot be used; empty: it can.
[[nodiscard]] std::string error_in(const curl_version_info_data& version);

/// Initialises libcurl at the first call in the life of the process, and asks it once: it writes its responses into
/// static memory. Never destroyed: a client may be used until the last static is. Thread-safe.
[[nodiscard]] const Libcurl& libcurl();

}  // namespace connectid::inline v0::detail
