#pragma once

#include <connectid/rate_limit/rate_limit.hpp>
#include <string>

#include "input/options.hpp"

namespace connectid::cli {

/// --rate.
void add_rate(CLI::App& command, Rates& to);

/// The name of the file for an API at this URL: one for each host and port, and for each machine that shares the
/// directory; without a password, be one in the URL.
[[nodiscard]] std::string pace_file_name(const std::string& api_url);

/// How a run keeps inside the API's limits: together with all others that reach the same file.
struct RateLimiting {
  RateLimit limit;
  std::string no_directory = {};  ///< why there is no place for the file; empty: there is

  /// Why this run keeps to the limits by itself; empty: it does not.
  [[nodiscard]] std::string error() const { return no_directory.empty() ? limit.error() : no_directory; }
};

/// Makes the directory of this user's data (0700) where there is none. All runs with the same `part` share it.
[[nodiscard]] RateLimiting rate_limiting(const std::string& api_url, Rates part);

}  // namespace connectid::cli
