#pragma once

#include <unistd.h>

#include <stdexcept>

namespace connectid::cli {

/// A descriptor that is closed in the end. Throws std::runtime_error where there is none.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {
    if (fd < 0) throw std::runtime_error("no descriptor can be had");
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { close(fd_); }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace connectid::cli
