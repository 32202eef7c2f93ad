#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "support/temporary_directory.hpp"

namespace connectid::cli {

/// A file that goes away by itself.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text = {}) {
    const int fd = mkstemp(name_.data());
    if (fd >= 0) close(fd);
    std::ofstream(name_) << text;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(name_); }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string text() const {
    std::ifstream in(name_);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::string name_ = std::filesystem::temp_directory_path() / "connectid-test-XXXXXX";
};

struct Ended {
  int status = -1;  ///< the exit status, or 128 and the signal's number
  std::string out;
  std::string err;
};

struct Streams {
  std::string in = {};
  std::string in_path = {};   ///< standard input is this instead
  std::string out_path = {};  ///< where standard output goes; empty: it is caught; `-`: closed
};

/// A pipe with a name, which goes away by itself.
class NamedPipe {
 public:
  NamedPipe() { mkfifo(name_.c_str(), 0600); }
  NamedPipe(const NamedPipe&) = delete;
  NamedPipe& operator=(const NamedPipe&) = delete;
  ~NamedPipe() { std::filesystem::remove(name_); }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_ = TemporaryFile().name();
};

/// A process of its own, with just the environment given. Its executable is looked for as a shell does.
class Process {
 public:
  Process(std::vector<std::string> words, std::vector<std::string> variables, const Streams& streams = {})
      : in_(streams.in) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const std::string& in_path = streams.in_path.empty() ? in_.name() : streams.in_path;
    posix_spawn_file_actions_addopen(&actions, 0, in_path.c_str(), O_RDONLY, 0);
    if (streams.out_path == "-") {
      posix_spawn_file_actions_addclose(&actions, 1);
    } else {
      const std::string& path = streams.out_path.empty() ? out_.name() : streams.out_path;
      posix_spawn_file_actions_addopen(&actions, 1, path.c_str(), O_WRONLY | O_APPEND, 0);
    }
    posix_spawn_file_actions_addopen(&actions, 2, err_.name().c_str(), O_WRONLY | O_APPEND, 0);
    posix_spawnp(&pid_, words.front().c_str(), &actions, nullptr, pointers(words).data(), pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      static_cast<void>(wait());
    }
  }

  void signal(int number) const { kill(pid_, number); }
  /// Again and again, until the process has ended.
  void signal_until_ended(int number) const {
    siginfo_t state{};
    while (waitid(P_PID, static_cast<id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 && state.si_pid == 0) {
      signal(number);
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
  }
  [[nodiscard]] std::string out() const { return out_.text(); }
  [[nodiscard]] std::string err() const { return err_.text(); }
  /// Whether this signal can no longer kill it: it takes them in its own way.
  [[nodiscard]] bool blocks(int signal) const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("SigBlk:")) return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
    }
    return false;
  }
  [[nodiscard]] rlimit limit(int resource) const {
    rlimit its{1, 1};
    prlimit(pid_, static_cast<__rlimit_resource>(resource), nullptr, &its);
    return its;
  }
  [[nodiscard]] bool has_open(const std::string& path) const {
    std::error_code gone;  // between the listing and the look
    for (const auto& fd : std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/fd", gone)) {
      if (std::filesystem::read_symlink(fd.path(), gone) == path) return true;
    }
    return false;
  }

  Ended wait() {
    int state = 0;
    waitpid(std::exchange(pid_, -1), &state, 0);
    return {WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state), out_.text(), err_.text()};
  }

 private:
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
  }
  TemporaryFile in_, out_, err_;
  pid_t pid_ = -1;
};

/// Where the program may write what its runs share. A base, for it must be there before the process is.
struct OwnData {
  TemporaryDirectory data;
};

/// The program under test. Its data directory is one of its own, unless the variables name another.
class Program : private OwnData, public Process {
 public:
  Program(std::vector<std::string> arguments, std::vector<std::string> variables, const Streams& streams = {})
      : Process(named(std::move(arguments)), with_data(std::move(variables), data / ""), streams) {}

 private:
  static std::vector<std::string> with_data(std::vector<std::string> variables, const std::string& directory) {
    const auto names_one = [](const std::string& variable) { return variable.starts_with("XDG_DATA_HOME="); };
    if (std::ranges::none_of(variables, names_one)) variables.push_back("XDG_DATA_HOME=" + directory);
    return variables;
  }
  static std::vector<std::string> named(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), CONNECTID_PROGRAM);
    return arguments;
  }
};

}  // namespace connectid::cli
