#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include <connectid/error.hpp>
#include <connectid/result.hpp>
#include <connectid/secret.hpp>

#include "base/files.hpp"

namespace connectid::inline v0::detail {

/// A directory for its owner alone, and files of up to 1 MiB in it, by names without a slash. What others may read or
/// write is not used, nor what is another user's. An error is a configuration_error that says what to do; where the
/// system has no room or an input/output error, a token_error that is temporary.
class PrivateDirectory {
 public:
  /// None where there is none.
  [[nodiscard]] static Result<std::optional<PrivateDirectory>> open(const std::string& path);
  /// Makes it where there is none, and what it lies in with it.
  [[nodiscard]] static Result<PrivateDirectory> make(const std::string& path);

  /// None where there is none.
  [[nodiscard]] Result<std::optional<Secret>> read(const std::string& name) const;

  /// A new file: whole and on the disk on return, or none.
  [[nodiscard]] Result<void> write(const std::string& name, const Secret& text) const;
  /// It is on the disk on return, as a file that `write` made is. Its name may not be.
  [[nodiscard]] Result<void> sync(const std::string& name) const;
  /// Gives a file a second name, with `.broken` behind its own, and a number where there is one already.
  [[nodiscard]] Result<void> keep_aside(const std::string& name) const;
  /// `to` is there, old or new and whole, whenever the machine dies, and the new one on return.
  [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to) const;
  /// In this order. Gone for good on return.
  [[nodiscard]] Result<void> remove(std::initializer_list<std::string> names) const;

  /// An empty file to lock; made where there is none.
  [[nodiscard]] Result<Fd> lock_file(const std::string& name) const;
  /// Whether that is still what the name leads to, from the directory's own name on.
  [[nodiscard]] bool leads_to(const std::string& name, const Fd& fd) const;

  /// The full name, for people.
  [[nodiscard]] std::string quoted(const std::string& name) const;
  [[nodiscard]] Error unusable(const std::string& name, const Reason& why) const;

 private:
  PrivateDirectory(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  [[nodiscard]] Result<void> sync_names(const std::string& of) const;

  Fd fd_;
  std::string path_;
};

}  // namespace connectid::inline v0::detail
