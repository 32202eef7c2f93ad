#pragma once

#include <stop_token>
#include <string_view>

#include "call/admission.hpp"

namespace connectid::inline v0::detail {

/// What a blocking call does its I/O with.
struct BlockingIo {
  const TokenSource& token_source;
  std::string_view api_url;  ///< that its token will be sent to
  http::Transport& transport;
  Journal* journal = nullptr;  ///< none: nothing is written down
  Shared shared;
  std::chrono::milliseconds connect_timeout;
  std::stop_token stop;
  bool stop_ends_attempts = true;  ///< else what has been sent is waited for, and no other attempt is made
};

/// Runs an Exchange to its end in the calling thread. User code that throws ends the call with its true outcome.
[[nodiscard]] Done run(Exchange& exchange, const BlockingIo& io);

[[nodiscard]] Now read_clocks() noexcept;

}  // namespace connectid::inline v0::detail
