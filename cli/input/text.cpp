#include "input/text.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "input/fd.hpp"
#include "input/options.hpp"

namespace connectid::cli {
namespace {

constexpr std::size_t largest = 1024 * 1024;

[[noreturn]] void cannot_read(const std::string& what, int error) {
  throw UsageError(what + " cannot be read: " + std::generic_category().message(error));
}

enum class Until { end_of_file, end_of_line };

std::optional<std::string> read_until(Until end, int fd, const std::string& what, const std::stop_token& stop) {
  const Fd stopped(eventfd(0, EFD_CLOEXEC));
  const std::stop_callback wake(stop, [&] { eventfd_write(stopped.get(), 1); });
  std::array<pollfd, 2> fds{{{fd, POLLIN, 0}, {stopped.get(), POLLIN, 0}}};
  std::string text;
  std::array<char, 4096> piece{};
  while (!stop.stop_requested()) {
    if (poll(fds.data(), fds.size(), -1) < 0 || fds[1].revents != 0) continue;
    const ssize_t count = read(fd, piece.data(), piece.size());
    if (count == 0) return text;
    if (count < 0 && errno != EINTR && errno != EAGAIN) cannot_read(what, errno);
    if (count > 0) text.append(piece.data(), static_cast<std::size_t>(count));
    if (end == Until::end_of_line && text.ends_with('\n')) return text;
    if (text.size() > largest) throw UsageError(what + " is larger than 1 MiB");
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> read_input(const std::string& file, const std::stop_token& stop) {
  if (file == "-") return read_until(Until::end_of_file, STDIN_FILENO, "standard input", stop);
  const std::string what = "the file \"" + file + "\"";
  // Without O_NONBLOCK a pipe that has no writer could not even be opened, and no signal would end that.
  const int fd = open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) cannot_read(what, errno);
  const Fd opened(fd);
  return read_until(Until::end_of_file, opened.get(), what, stop);
}

std::optional<std::string> read_line(int fd, const std::string& what, const std::stop_token& stop) {
  return read_until(Until::end_of_line, fd, what, stop);
}

std::string printable(std::string text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  std::ranges::replace_if(text, control, '?');
  for (std::size_t at = 0; (at = text.find('\xc2', at)) != std::string::npos; ++at) {  // U+0080 to U+009F, as UTF-8
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0) text.replace(at, 2, "?");
  }
  return text;
}

}  // namespace connectid::cli
