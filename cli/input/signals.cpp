#include "input/signals.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

#include "input/fd.hpp"

namespace connectid::cli {
namespace {

sigset_t handled() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now {};
    sigaction(signal, nullptr, &now);
    if (now.sa_handler != SIG_IGN) sigaddset(&set, signal);  // nohup, or in the background of a script
  }
  return set;
}

/// timeout(1) and shells signal the process and then its group: two signals that mean one. The second must not kill.
void take_those_of_the_same_moment(pollfd (&fds)[2], const std::stop_token& end) {
  using std::chrono::milliseconds;
  constexpr milliseconds moment{500};
  const auto over = std::chrono::steady_clock::now() + moment;
  for (milliseconds left = moment; left.count() > 0 && !end.stop_requested();
       left = std::chrono::ceil<milliseconds>(over - std::chrono::steady_clock::now())) {
    signalfd_siginfo taken{};
    if (poll(fds, 2, static_cast<int>(left.count())) > 0) static_cast<void>(read(fds[0].fd, &taken, sizeof taken));
  }
}

void wait_for_one(const std::stop_token& end, std::stop_source& stop) {
  const sigset_t set = handled();
  const Fd signals(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  const Fd ended(eventfd(0, EFD_CLOEXEC));
  const std::stop_callback wake(end, [&] { eventfd_write(ended.get(), 1); });
  pollfd fds[] = {{signals.get(), POLLIN, 0}, {ended.get(), POLLIN, 0}};
  while (poll(fds, 2, -1) < 0) {
  }
  if (end.stop_requested()) return;
  stop.request_stop();
  take_those_of_the_same_moment(fds, end);
  if (end.stop_requested()) return;
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);  // the next one does what it does by default, here
  while (!end.stop_requested() && poll(fds + 1, 1, -1) < 0) {
  }
}

}  // namespace

StopOnSignal::StopOnSignal() {
  const sigset_t set = handled();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::jthread([this](const std::stop_token& end) { wait_for_one(end, stop_); });
}

}  // namespace connectid::cli
