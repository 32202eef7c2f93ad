#include "support/peer.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace connectid::peers {
namespace {

using namespace std::chrono_literals;

constexpr const char* said = "said";  // the file with what the process wrote to its standard output and error

std::string replaced(std::string text, std::string_view what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
  return text;
}

/// To whom the process belongs, where that is somebody else.
void give(const std::string& path, const passwd* owner) {
  if (owner != nullptr && chown(path.c_str(), owner->pw_uid, owner->pw_gid) != 0) {
    throw std::runtime_error("cannot give " + path + " to " + owner->pw_name);
  }
}

}  // namespace

std::optional<std::string> path_of(std::string_view program) {
  const char* path = std::getenv("PATH");
  std::istringstream directories(std::string(path == nullptr ? "" : path) + ":/usr/local/sbin:/usr/sbin:/sbin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    std::string file = directory + "/" + std::string(program);
    if (!directory.empty() && access(file.c_str(), X_OK) == 0) return file;
  }
  return std::nullopt;
}

Peer::Peer(const Recipe& recipe) {
  const auto program = path_of(recipe.program);
  if (!program) throw std::runtime_error(recipe.program + " is not installed");
  for (const auto& [name, text] : recipe.files) std::ofstream(directory_ / name) << filled_in(text);
  std::vector<std::string> words{*program};
  for (const auto& argument : recipe.arguments) words.push_back(filled_in(argument));
  start(recipe, words);

  if (eventually([this] { return ended() || listens(); }) && pid_ > 0) return;
  stop();
  std::string why = recipe.program + " does not listen:";
  for (const auto& line : lines_of(said)) why += "\n  " + line;
  throw std::runtime_error(why);
}

void Peer::start(const Recipe& recipe, const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const std::string output = directory_ / said;
  const bool as_another = geteuid() == 0 && !recipe.user.empty();
  const passwd* const owner = as_another ? getpwnam(recipe.user.c_str()) : nullptr;
  if (as_another && owner == nullptr) throw std::runtime_error("there is no user " + recipe.user);
  std::ofstream(output).flush();
  for (const auto& path : {directory_ / "", output}) give(path, owner);
  for (const auto& [name, text] : recipe.files) give(directory_ / name, owner);

  const pid_t test = getpid();
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ > 0) return;
  // The child of a test with threads: nothing but system calls from here on.
  const int in = open("/dev/null", O_RDONLY);
  const int out = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(126);
  close_range(3, ~0U, 0);  // a fake server's port must not stay open here when the test closes it
  if (owner != nullptr && (setgroups(0, nullptr) != 0 || setgid(owner->pw_gid) != 0 || setuid(owner->pw_uid) != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != test) _exit(126);  // it died before the line above
  execv(arguments[0], arguments.data());
  _exit(127);
}

bool Peer::listens() const {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port());
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

bool Peer::ended() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ < 0;
}

void Peer::stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  const auto patience = std::chrono::steady_clock::now() + 5s;
  while (!ended() && std::chrono::steady_clock::now() < patience) std::this_thread::sleep_for(1ms);
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(std::exchange(pid_, -1), nullptr, 0);
}

std::vector<std::string> Peer::lines_of(const std::string& name) const {
  std::ifstream in(directory_ / name);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  return lines;
}

std::string Peer::filled_in(std::string text) const {
  const std::string directory = directory_ / "";
  text = replaced(std::move(text), "@DIRECTORY@", directory.substr(0, directory.size() - 1));
  return replaced(std::move(text), "@PORT@", std::to_string(port()));
}

}  // namespace connectid::peers
