#include "input/data_directory.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace connectid::cli {
namespace {

std::string absolute_or_empty(const char* path) { return path && *path == '/' ? path : ""; }

std::string variable(const char* name) {
  return absolute_or_empty(std::getenv(name));  // NOLINT(concurrency-mt-unsafe): the header says so
}

/// The user's home by the system's list of users, which an empty environment does not take away.
std::string listed_home() {
  std::vector<char> texts(16 * 1024);
  passwd user{};
  passwd* found = nullptr;
  getpwuid_r(getuid(), &user, texts.data(), texts.size(), &found);
  return found ? absolute_or_empty(found->pw_dir) : "";
}

}  // namespace

Result<std::string> data_directory() {
  if (const std::string data = variable("XDG_DATA_HOME"); !data.empty()) return data + "/connectid";
  std::string home = variable("HOME");
  if (home.empty()) home = listed_home();
  if (!home.empty()) return home + "/.local/share/connectid";
  return Error(
      Outcome::not_sent, ConfigurationError{},
      "there is no directory for data: neither XDG_DATA_HOME nor HOME is an absolute path, and the system's list "
      "of users has no home of this one");
}

}  // namespace connectid::cli
