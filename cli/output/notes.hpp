#pragma once

#include <string>
#include <vector>

namespace connectid::cli {

/// A name and what is said of it: an environment variable, an exit status.
struct Entry {
  std::string name;
  std::string text;
};
using Entries = std::vector<Entry>;

/// What the help says of a command besides its flags. What is empty is left out.
struct Notes {
  std::string summary;
  std::vector<std::string> paragraphs = {};
  Entries variables = {};
  Entries statuses = {};
  std::string rule_for_scripts = {};
  std::vector<std::string> examples = {};  ///< lines, as they are typed
};

// ---- what several commands say

inline constexpr auto one_json_object =
    "Results go to standard output, everything else to standard error. With --output json, standard output holds one "
    "JSON object and nothing else, usage errors included; only --help still prints text.";
inline constexpr auto where_tokens_are =
    "Tokens are kept in $XDG_DATA_HOME/connectid/tokens (default: ~/.local/share/connectid/tokens), one file per "
    "account, readable by its user only. They are used only for the API and the authorization server that they were "
    "obtained for. A client secret is never kept.";
inline constexpr auto internal_error = "Internal error, or standard output cannot be written.";

/// Of a command that calls the API.
[[nodiscard]] Entries call_variables();
/// Of a command that refreshes an account's token.
[[nodiscard]] Entries refresh_variables();
/// Of a command that logs an account in.
[[nodiscard]] Entries login_variables();
/// Of a command that keeps a token that it was given.
[[nodiscard]] Entries import_variables();
inline constexpr auto still_rate_limited = "still rate-limited (429) after the last attempt.";
/// Of a command that asks the authorization server; `done` is what 0 means.
[[nodiscard]] Entries token_statuses(const std::string& done);

}  // namespace connectid::cli
