#include "input/rate_limiting.hpp"

#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "input/data_directory.hpp"

namespace connectid::cli {
namespace {

/// Makes it and what it lies in. Returns why it cannot be made; empty: it is there.
std::string make_directory(const std::string& path) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), S_IRWXU) == 0 || errno == EEXIST) continue;
    return part + ": cannot be made: " + std::generic_category().message(errno);
  }
  return {};
}

Rates rates(const std::string& text) {
  const auto read = number_and_unit<double>(text);
  const Rates all;
  const auto within = [&](double most) { return read->first > 0 && read->first <= most; };  // false for no number
  if (read && read->second == "/s" && within(all.per_second)) return {.per_second = read->first};
  if (read && read->second == "/min" && within(all.per_minute)) return {.per_minute = read->first};
  throw UsageError("--rate takes a part of the API's 100/s and 2000/min, such as 10/s or 500/min, not \"" + text +
                   "\"");
}

}  // namespace

void add_rate(CLI::App& command, Rates& to) {
  add(command,
      {"--rate", "RATE", "A part of the API's limits, such as 500/min or 10/s; runs with the same value share it",
       "all"},
      [&to](const std::string& text) { to = rates(text); });
}

std::string pace_file_name(const std::string& api_url) {
  const std::size_t scheme = api_url.find("://");
  std::string host = scheme == std::string::npos ? api_url : api_url.substr(scheme + 3);
  host.erase(std::min(host.find_first_of("/?#"), host.size()));
  host.erase(0, host.rfind('@') + 1);  // npos + 1 is 0
  for (char& c : host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (!plain) c = '_';
  }
  // A home that two machines share holds a file of each: their clocks have nothing to do with each other.
  utsname machine{};
  uname(&machine);
  return "pace-" + std::string(machine.nodename) + "-" + host;
}

RateLimiting rate_limiting(const std::string& api_url, Rates part) {
  const Result<std::string> directory = data_directory();
  if (!directory) return {RateLimit::per_client(part), directory.error().message()};
  if (std::string why = make_directory(*directory); !why.empty()) return {RateLimit::per_client(part), std::move(why)};
  return {RateLimit::across_processes(*directory + "/" + pace_file_name(api_url), part)};
}

}  // namespace connectid::cli
