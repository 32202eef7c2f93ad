#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <connectid/error.hpp>
#include <connectid/result.hpp>
#include <connectid/secret.hpp>

#include "base/files.hpp"

namespace connectid::inline v0::detail {

/// A directory for its owner alone, and small files in it, by names without a slash. What others may read or write is
/// not used, nor what is another user's. An error is a configuration_error that says what to do; where the system has
/// no room or an input/output error, a token_error that is temporary.
class PrivateDirectory {
 public:
  /// Of a longer one nothing is read, and none is written.
  static constexpr std::size_t longest_file = std::size_t{1} << 20;

  /// None where there is none.
  [[nodiscard]] static Result<std::optional<PrivateDirectory>> open(const std::string& path);
  /// Makes it where there is none, and what it lies in with it.
  [[nodiscard]] static Result<PrivateDirectory> make(const std::string& path);

  /// None where there is none.
  [[nodiscard]] Result<std::optional<Secret>> read(const std::string& name) const;

  /// What becomes of the file that a new one replaces.
  enum class Old {
    is_dropped,
    is_kept,  ///< with `.broken` behind its name, and a number where there is one already
  };
  /// The file is there, old or new and whole, whenever the process or the machine dies, and is on the disk on return.
  /// One call at a time for each name: what is not yet whole has the name with `.new` behind it.
  [[nodiscard]] Result<void> replace(const std::string& name, const Secret& text, Old old) const;
  /// With what a crash left of `replace`.
  [[nodiscard]] Result<void> remove(const std::string& name) const;

  /// An empty file to lock; made where there is none.
  [[nodiscard]] Result<Fd> lock_file(const std::string& name) const;

  /// All names in it, in no order.
  [[nodiscard]] Result<std::vector<std::string>> names() const;

  /// The full name, for people.
  [[nodiscard]] std::string quoted(const std::string& name) const;
  [[nodiscard]] Error unusable(const std::string& name, const Reason& why) const;

 private:
  PrivateDirectory(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  [[nodiscard]] Reason write_new(const std::string& name, const std::string& text) const;
  [[nodiscard]] Result<void> sync(const std::string& name) const;
  [[nodiscard]] int keep(const std::string& name) const;

  Fd fd_;
  std::string path_;
};

}  // namespace connectid::inline v0::detail
