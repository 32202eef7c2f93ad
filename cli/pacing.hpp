#pragma once

#include <connectid/rate_limit/rate_limit.hpp>
#include <string>

namespace connectid::cli {

/// The name of the file for an API at this URL: one for each host and port, and for each machine that shares the
/// folder; without a password, be one in the URL.
[[nodiscard]] std::string pace_file_name(const std::string& api_url);

/// How a run keeps inside the API's limits: together with all others that reach the same file.
struct Pacing {
  RateLimit limit;
  std::string no_folder = {};  ///< why there is no place for the file; empty: there is

  /// Why this run keeps the limits alone; empty: it does not.
  [[nodiscard]] std::string problem() const { return no_folder.empty() ? limit.problem() : no_folder; }
};

/// Makes the folder of this user's data (0700) where there is none. `part`: what all runs take together that are told
/// the same.
[[nodiscard]] Pacing pace(const std::string& api_url, Rates part);

}  // namespace connectid::cli
