#pragma once

#include <connectid/connectid.hpp>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "input/rate_limiting.hpp"
#include "input/request.hpp"

namespace connectid::cli {

/// What the program leaves behind: one status, what goes to standard output and what to standard error.
struct Report {
  int status = 0;
  std::string out = {};
  std::string err = {};
  bool out_is_secret = false;  ///< it goes nowhere else, even where standard output cannot be written
  /// What may take its time to end: it goes once the rest was told.
  std::shared_ptr<const void> held_until_told = nullptr;
};

enum class Output { text, json };
/// What --output asks for, also where the rest of the line is wrong.
[[nodiscard]] Output wanted_output(int argc, const char* const* argv);

/// What was asked, as far as it was understood.
struct Asked {
  Output output = Output::text;
  std::string command = {};  ///< `start`, `token import`, …; empty: none that is known
  std::string api_url = {};
  std::string account = {};  ///< whose tokens are used; empty: a token that was given
  std::optional<StartSubscriptionRequest> request = {};
  std::string zone{norwegian_zone};
  bool copies_as_text = false;

  /// Reads the request; there is none where a stop is requested first. Throws UsageError.
  void take(const RequestArguments& arguments, const std::stop_token& stop);
};

/// What JSON says of an error.
[[nodiscard]] nlohmann::ordered_json error_json(const Error& error);

/// The exit status of a call that failed.
[[nodiscard]] int status_of(const Error& error);

[[nodiscard]] Report report_start(const Asked& asked, const Result<StartSubscriptionResponse>& started);
/// A stop was requested before the request was read.
[[nodiscard]] Report report_interrupted(const Asked& asked);
/// The same, of a command that changes what is kept on this machine.
[[nodiscard]] Report report_nothing_changed();
[[nodiscard]] Report report_token_error(const Error& error);
/// Of a call that only reads: whatever was lost, nothing was changed.
[[nodiscard]] Report report_failed_read(const Asked& asked, const Error& error);
[[nodiscard]] Report report_validation(const Asked& asked, const std::vector<Violation>& violations);
/// Nothing is known.
[[nodiscard]] Report report_internal_error(const Asked& asked, const std::string& message);
[[nodiscard]] Report report_usage(const Asked& asked, const UsageError& error);
/// A line for standard error, whatever becomes of the call.
[[nodiscard]] std::string warning(const std::string& what);
/// That this run does not share the API's limits with others; empty: it does.
[[nodiscard]] std::string warning(const RateLimiting& rate_limiting);

}  // namespace connectid::cli
