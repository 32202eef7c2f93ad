#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "commands/command.hpp"
#include "input/signals.hpp"

namespace {

using namespace connectid::cli;

/// A standard descriptor that is closed would be the number of the next socket, and what is printed would go to the
/// server. One that is opened the wrong way round fails instead.
void occupy_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) < 0) static_cast<void>(open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));
  }
}

/// It would hold tokens, and outlive the run.
void forbid_core_dumps() {
  const rlimit none{};
  static_cast<void>(setrlimit(RLIMIT_CORE, &none));
}

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? std::optional<std::string>(value) : std::nullopt;
}

bool print(std::FILE* to, const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), to) == text.size() && std::fflush(to) == 0;
}

/// A result that cannot be written must not look like success, nor be lost: it goes to standard error, which may be a
/// log, and so a secret does not.
int deliver(const Report& report) {
  print(stderr, report.err);
  if (report.out.empty() || print(stdout, report.out)) return report.status;
  const std::string result = report.out_is_secret
                                 ? ", and the secret is shown nowhere else: run this again where it can\n"
                                 : "; the result was:\n" + report.out;
  print(stderr, "connectid: standard output cannot be written" + result);
  return report.status == 0 ? 1 : report.status;
}

Report report(int argc, char** argv, Asked& asked, const StopOnSignal& signals) {
  try {
    const Parsed parsed = parse(argc, argv);
    return parsed.text ? Report{.out = *parsed.text} : parsed.run({asked, variable, signals.token()});
  } catch (const UsageError& error) {
    return report_usage(asked, error);
  } catch (const std::exception& error) {
    return report_internal_error(asked, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  forbid_core_dumps();
  occupy_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a journal that may not grow is reported as full
  Asked asked{.output = wanted_output(argc, argv), .command = command_in(argc, argv)};
  try {
    const StopOnSignal signals;  // until all is delivered: nobody may read, and then a signal must still kill
    return deliver(report(argc, argv, asked, signals));
  } catch (const std::exception& error) {
    return deliver(report_internal_error(asked, error.what()));
  }
}
