#include "standard_input.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "arguments.hpp"
#include "fd.hpp"

namespace connectid::cli {

std::optional<std::string> read_standard_input(const std::stop_token& stop) {
  const Fd stopped(eventfd(0, EFD_CLOEXEC));
  const std::stop_callback wake(stop, [&] { eventfd_write(stopped.get(), 1); });
  std::array<pollfd, 2> fds{{{STDIN_FILENO, POLLIN, 0}, {stopped.get(), POLLIN, 0}}};
  std::string text;
  std::array<char, 4096> piece{};
  while (!stop.stop_requested()) {
    if (poll(fds.data(), fds.size(), -1) < 0 || fds[1].revents != 0) continue;
    const ssize_t count = read(STDIN_FILENO, piece.data(), piece.size());
    if (count == 0) return text;
    if (count < 0 && errno != EINTR && errno != EAGAIN) throw UsageError("standard input cannot be read");
    if (count > 0) text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return std::nullopt;
}

}  // namespace connectid::cli
