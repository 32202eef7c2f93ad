#include "input/secret_input.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>

#include "input/fd.hpp"
#include "input/text.hpp"

namespace connectid::cli {
namespace {

Secret one_line(std::string text, const std::string& what) {
  const std::size_t line_break = text.ends_with("\r\n") ? 2 : text.ends_with('\n') ? 1 : 0;
  text.resize(text.size() - line_break);
  if (text.empty()) throw UsageError(what + " is empty");
  const auto control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  if (std::ranges::any_of(text, control)) {
    throw UsageError(what + " holds a line break or another control character: it must be one line");
  }
  return Secret(std::move(text));
}

/// Of a longer line a terminal drops the rest, and tells nobody: what is this long may have been longer.
constexpr std::size_t longest_typed = 4095;

/// What is typed is not shown while this lives.
class NoEcho {
 public:
  explicit NoEcho(int terminal) : terminal_(terminal) {
    tcgetattr(terminal_, &before_);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    // A process that is stopped leaves its shell without echo, and one that quits leaves the secret in a core dump.
    silent.c_cc[VSUSP] = _POSIX_VDISABLE;
    silent.c_cc[VQUIT] = _POSIX_VDISABLE;
    tcsetattr(terminal_, TCSAFLUSH, &silent);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    tcsetattr(terminal_, TCSAFLUSH, &before_);
    static_cast<void>(write(terminal_, "\n", 1));
  }

 private:
  int terminal_;
  termios before_{};
};

}  // namespace

std::optional<Secret> read_secret(const char* variable, const char* variable_of_file, const Variables& variables,
                                  const std::stop_token& stop) {
  auto value = value_of(variable, variables);
  const auto file = value_of(variable_of_file, variables);
  if (value && file) {
    throw UsageError(std::string(variable) + " and " + variable_of_file + " are both set: unset one");
  }
  if (value) return one_line(*std::move(value), variable);
  if (!file) return Secret();

  // A name and not a request for standard input, which is for --json.
  auto text = read_input(*file == "-" ? "./-" : *file, stop);
  if (!text) return std::nullopt;
  return one_line(*std::move(text), std::string("the file of ") + variable_of_file + ", \"" + *file + "\",");
}

std::optional<Secret> ask_for_secret(const std::string& what, const std::string& another_way,
                                     const std::stop_token& stop) {
  const int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) throw UsageError(what + ": there is no terminal to ask at: " + another_way);
  const Fd terminal(fd);
  const NoEcho silent(fd);
  const std::string prompt = what + ": ";
  static_cast<void>(write(fd, prompt.data(), prompt.size()));
  auto line = read_line(fd, "the terminal", stop);
  if (!line) return std::nullopt;
  if (line->find_last_not_of("\r\n") + 1 >= longest_typed) {
    throw UsageError(what + ": a terminal takes less than 4095 bytes in a line, and drops the rest: " + another_way);
  }
  return one_line(*std::move(line), "what was typed");
}

std::optional<Secret> read_secret_from_input(const std::string& what, const std::stop_token& stop) {
  if (isatty(STDIN_FILENO) != 0) return ask_for_secret(what, "give it on standard input, of a file or a pipe", stop);
  auto text = read_input("-", stop);
  if (!text) return std::nullopt;
  return one_line(*std::move(text), what + " on standard input");
}

}  // namespace connectid::cli
