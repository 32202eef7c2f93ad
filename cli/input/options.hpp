#pragma once

#include <charconv>
#include <chrono>
#include <connectid/options.hpp>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace CLI {
class App;
}

namespace connectid::cli {

/// What the caller asked for cannot be done: exit status 2, and nothing was sent.
struct UsageError : std::runtime_error {
  explicit UsageError(const std::string& what, const char* kind_of_it = "usage")
      : std::runtime_error(what), kind(kind_of_it) {}
  const char* kind;  ///< of the error, with --output json
};

/// A flag that takes a value. Shells complete a value by what it looks like: `FILE` is the name of a file, `a|b` is one
/// of these words.
struct Flag {
  const char* name;
  std::string value;  ///< what it looks like
  std::string text;   ///< for the help
  std::string default_value = {};
  const char* excludes = nullptr;  ///< a flag that is already declared
};

void add(CLI::App& command, const Flag& flag, const std::function<void(const std::string&)>& take);
void add(CLI::App& command, const Flag& flag, std::optional<std::string>& to);
/// `excludes`: see Flag.
void add_switch(CLI::App& command, const char* name, const char* text, bool& to, const char* excludes = nullptr);

/// --output. Its value is read by `wanted_output`.
void add_output(CLI::App& command);

/// Of a call, where --timeout does not say.
inline constexpr std::chrono::milliseconds default_timeout = std::chrono::minutes{2};

/// How long a call may take, and how often it may be tried.
struct CallLimits {
  std::optional<std::chrono::milliseconds> timeout;
  RetryPolicy retry_policy;
};
/// --timeout and --max-attempts.
void add_call_limits(CLI::App& command, CallLimits& to);

/// A number and what stands behind it; nothing where the text begins with no number.
template <typename Number>
[[nodiscard]] std::optional<std::pair<Number, std::string>> number_and_unit(const std::string& text) {
  const char* const end_of_text = text.data() + text.size();
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), end_of_text, number);
  if (error != std::errc()) return std::nullopt;
  return std::pair{number, std::string(end, end_of_text)};
}

}  // namespace connectid::cli
