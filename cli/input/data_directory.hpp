#pragma once

#include <string>

#include <connectid/result.hpp>

namespace connectid::cli {

/// Where this user's programs keep what belongs to this library: `$XDG_DATA_HOME/connectid`, else
/// `~/.local/share/connectid`, the home being `$HOME` or what the system's list of users says. A variable that holds no
/// absolute path is passed over (XDG Base Directory Specification). Where none of them says anything, that is a
/// `configuration_error`. Makes nothing; reads the environment, so nobody may change that at the same time.
[[nodiscard]] Result<std::string> data_directory();

}  // namespace connectid::cli
