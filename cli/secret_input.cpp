#include "token_input.hpp"

#include <string>

#include "input.hpp"

namespace connectid::cli {

std::optional<Secret> read_token(const Variables& variables, const std::stop_token& stop) {
  const auto token = value_of(variable::access_token, variables);
  const auto file = value_of(variable::access_token_file, variables);
  if (token && file) throw UsageError("CONNECTID_ACCESS_TOKEN and CONNECTID_ACCESS_TOKEN_FILE are both set: unset one");
  if (!file) return token.value_or("");

  // A name and not a request for standard input, which is for --json.
  const auto text = read_input(*file == "-" ? "./-" : *file, stop);
  if (!text) return std::nullopt;
  const std::string line = text->substr(0, text->find_last_not_of("\r\n") + 1);
  if (line.empty()) throw UsageError("the file of CONNECTID_ACCESS_TOKEN_FILE, \"" + *file + "\", is empty");
  return line;
}

}  // namespace connectid::cli
