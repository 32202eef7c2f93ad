#pragma once

#include <cerrno>

namespace connectid::inline v0::detail {

/// What a system call returns, made again where a signal interrupted it; below 0 with `errno`.
auto uninterrupted(auto call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace connectid::inline v0::detail
