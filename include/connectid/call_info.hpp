#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <connectid/timestamp.hpp>

namespace connectid::inline v0 {

namespace detail {
struct Endpoint;  // what each request names
}

/// What is known of a call, whatever became of it.
struct CallInfo {
  std::string call_id = {};  ///< what was sent as `X-Request-Id`
  int http_status = 0;       ///< of the response that the outcome rests on; 0: it rests on none
  int attempts = 0;          ///< how often the request was given to the transport
  /// When the attempt began of which something left (wall time). Absent: the outcome is not_sent.
  std::optional<Timestamp> sent_at = {};
  std::chrono::milliseconds duration{0};                  ///< from the call's begin to its end (steady clock)
  std::optional<std::int64_t> rate_limit_remaining = {};  ///< X-RateLimit-Remaining
  /// When the allowance is renewed, by this machine's clock (X-RateLimit-Reset: seconds from now, or since 1970).
  std::optional<Timestamp> rate_limit_reset = {};
  std::optional<Timestamp> server_date = {};  ///< the response's Date
  std::string server_request_id = {};         ///< the response's X-Request-Id, where it has one
};

}  // namespace connectid::inline v0
