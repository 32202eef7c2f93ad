#pragma once

#include <chrono>
#include <connectid/options.hpp>
#include <connectid/rate_limit/rate_limit.hpp>
#include <optional>
#include <stdexcept>
#include <string>

namespace connectid::cli {

/// What the caller said cannot be carried out as it stands: exit status 2, and nothing was sent.
struct UsageError : std::runtime_error {
  explicit UsageError(const std::string& what, const char* kind_of_it = "usage")
      : std::runtime_error(what), kind(kind_of_it) {}
  const char* kind;  ///< of the error, with --output json
};

enum class Output { text, json };

/// What `start` and `validate` take to make a request of. Absent: not given. Texts are as given, not looked at yet.
struct RequestArguments {
  std::optional<std::string> json_file;  ///< `-`: standard input
  std::optional<std::string> company_code;
  std::optional<std::string> product;
  std::optional<std::string> start_time;
  std::optional<std::string> end_time;
  std::optional<std::string> start_date;
  std::optional<std::string> end_date;
  std::optional<std::string> zone;
  std::optional<std::string> copies;
  std::optional<std::string> coupon_code;
  std::optional<std::string> coupon_number;
  std::optional<std::string> customer_reference;
};

struct Arguments {
  enum class Command { start, validate, login, token, token_import, accounts, logout, fake_server };
  Command command = Command::start;
  RequestArguments request;
  Output output = Output::text;
  std::optional<std::string> api_url;
  std::optional<std::string> environment;
  std::optional<std::string> ca_file;
  std::optional<std::chrono::milliseconds> timeout;
  RetryPolicy retry_policy;
  Rates rates;  ///< of this run
  std::optional<std::string> journal;
  std::optional<std::string> call_id;
  bool copies_as_text = false;
  std::optional<std::string> account;
  std::optional<std::string> client_id;
  bool client_credentials = false;
  bool show = false;
  int port = 0;
};

/// What the command line says, or the text it asks for (`--help`, `--version`): then there is nothing more to do.
struct Parsed {
  Arguments arguments;
  std::optional<std::string> text;
};

/// Throws UsageError.
[[nodiscard]] Parsed parse(int argc, const char* const* argv);

/// Whether JSON is asked for, also where the rest of the line cannot be read.
[[nodiscard]] Output wanted_output(int argc, const char* const* argv);

}  // namespace connectid::cli
