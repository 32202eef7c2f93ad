#include "input/options.hpp"

#include <CLI/CLI.hpp>
#include <map>

namespace connectid::cli {
namespace {

/// A flag whose value is missing would take the next flag for it, and buy with that.
std::string no_flag(const std::string& value) {
  if (!value.starts_with("--")) return "";
  // Only the flag's name: its value may be a token.
  return "its value is missing: " + value.substr(0, value.find('=')) +
         " is a flag (--json can give a text that begins so)";
}

/// `30s`, `500ms`, `2m`: a unit is required, and a time above zero.
std::chrono::milliseconds duration(const std::string& text) {
  static const std::map<std::string, std::int64_t> units{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  const auto read = number_and_unit<std::int64_t>(text);
  const auto unit = units.find(read ? read->second : "");
  constexpr std::int64_t longest = 1000;
  if (unit == units.end() || read->first <= 0 || read->first > longest * 3'600'000 / unit->second) {
    throw UsageError("--timeout takes a time such as 30s, 500ms or 2m (at most 1000h), not \"" + text + "\"");
  }
  return std::chrono::milliseconds{read->first * unit->second};
}

int attempts(const std::string& text) {
  const auto read = number_and_unit<int>(text);
  if (!read || read->first < 1 || !read->second.empty()) {
    throw UsageError("--max-attempts takes a whole number of 1 or more, not \"" + text + "\"");
  }
  return read->first;
}

}  // namespace

void add(CLI::App& command, const Flag& flag, const std::function<void(const std::string&)>& take) {
  auto* option = command.add_option_function<std::string>(flag.name, take, flag.text);
  option->type_name(flag.value)->check(CLI::Validator(no_flag, "", ""));
  if (!flag.default_value.empty()) option->default_str(flag.default_value);
  if (flag.excludes) option->excludes(command.get_option(flag.excludes));
}

void add(CLI::App& command, const Flag& flag, std::optional<std::string>& to) {
  add(command, flag, [&to](const std::string& text) { to = text; });
}

void add_switch(CLI::App& command, const char* name, const char* text, bool& to, const char* excludes) {
  auto* option = command.add_flag(name, to, text);
  if (excludes) option->excludes(command.get_option(excludes));
}

void add_output(CLI::App& command) {
  add(command, {"--output", "text|json", "Text for people, or one JSON object", "text"}, [](const std::string& text) {
    if (text != "text" && text != "json") throw UsageError("--output takes text or json, not \"" + text + "\"");
  });
}

void add_call_limits(CLI::App& command, CallLimits& to) {
  add(command, {"--timeout", "TIME", "Time for the whole call, such as 30s, 500ms or 2m", "2m"},
      [&to](const std::string& text) { to.timeout = duration(text); });
  add(command,
      {"--max-attempts", "NUMBER", "Maximum number of attempts (1: no retry); those that never connected do not count",
       std::to_string(to.retry_policy.max_attempts)},
      [&to](const std::string& text) { to.retry_policy.max_attempts = attempts(text); });
}

}  // namespace connectid::cli
