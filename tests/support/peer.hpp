#pragma once

// Servers and proxies that others wrote, as processes of a test.

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/listener.hpp"
#include "support/temporary_directory.hpp"

namespace connectid::peers {

/// Where a program is: in PATH, or where daemons are kept and PATH often does not lead. Absent: not installed.
[[nodiscard]] std::optional<std::string> path_of(std::string_view program);

/// What a peer is started with. In arguments and files, `@DIRECTORY@` and `@PORT@` stand for its directory and its
/// port.
struct Recipe {
  std::string program;                            ///< looked for by `path_of`
  std::vector<std::string> arguments = {};        ///< must keep it in the foreground
  std::map<std::string, std::string> files = {};  ///< by name, in its directory
  std::string user = {};                          ///< a root's test starts it as this user: some refuse to be root's
};

/// A server in the foreground on a port of 127.0.0.1. All it writes is in a directory of its own. It is ended by its
/// pid with this object, and by the kernel where the test dies first (so make it in the test's own thread).
class Peer {
 public:
  /// Returns once it listens. Throws std::runtime_error, with its own words, where it does not.
  explicit Peer(const Recipe& recipe);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { stop(); }

  [[nodiscard]] std::uint16_t port() const { return port_.port(); }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }
  /// The lines of a file in its directory so far; none where there is no such file.
  [[nodiscard]] std::vector<std::string> lines_of(const std::string& name) const;
  /// Ends it; returns when it is gone.
  void stop();

 private:
  [[nodiscard]] std::string filled_in(std::string text) const;
  void start(const Recipe& recipe, const std::vector<std::string>& words);
  [[nodiscard]] bool listens() const;
  [[nodiscard]] bool ended();

  TemporaryDirectory directory_;
  // Held bound while the peer listens on it, which both sides' SO_REUSEADDR allows: so nobody takes it in between.
  faults::ReservedPort port_;
  pid_t pid_ = -1;
};

}  // namespace connectid::peers
