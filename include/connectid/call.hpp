#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include <connectid/http/transport.hpp>
#include <connectid/timestamp.hpp>

namespace connectid::inline v0 {

/// How long things may take. Zero or less is no time at all. Deadlines are kept by the steady clock.
struct Timeouts {
  std::chrono::milliseconds connect{10'000};          ///< name, TCP, proxy and TLS of one attempt
  std::chrono::milliseconds attempt_timeout{30'000};  ///< one attempt, connect to answer
  std::chrono::milliseconds timeout{120'000};         ///< the whole call, token included
};

/// What one call may have of its own. Fields left out take the client's values; a time of
/// zero or less is no time at all. Fill it with designated initialisers.
///
/// What cannot be used (a call_id or a header that HTTP does not allow, a header that is the SDK's own) is a
/// `configuration_error`, and nothing is sent.
struct CallOptions {
  std::optional<std::chrono::milliseconds> timeout = std::nullopt;          ///< the whole call, token included
  std::optional<std::chrono::milliseconds> attempt_timeout = std::nullopt;  ///< one attempt, connect to answer
  std::stop_token stop_token = {};                                          ///< cancels the call
  /// Sent as `X-Request-Id`: 1 to 128 visible ASCII characters. Empty: a UUIDv7 is made.
  std::string call_id = {};
  /// Sent beside the SDK's own, which cannot be replaced: Accept, Authorization, Content-Type, User-Agent,
  /// X-Request-Id, and what frames the body or belongs to the connection.
  http::Headers headers = {};
};

/// What is known of a call, whatever became of it.
struct CallInfo {
  std::string call_id = {};  ///< what was sent as `X-Request-Id`
  int http_status = 0;       ///< of the answer that the outcome rests on; 0: it rests on none
  int attempts = 0;          ///< how often the request was given to the transport
  /// When the attempt began whose body left (wall time). Absent: nothing was sent.
  std::optional<Timestamp> sent_at = {};
  std::chrono::milliseconds duration{0};                  ///< from the call's begin to its end (steady clock)
  std::optional<std::int64_t> rate_limit_remaining = {};  ///< X-RateLimit-Remaining
  std::optional<std::int64_t> rate_limit_reset = {};  ///< X-RateLimit-Reset as it came: seconds, a delta or since 1970
  std::optional<Timestamp> server_date = {};          ///< the answer's Date
  std::string server_request_id = {};                 ///< the answer's X-Request-Id, where it has one
};

}  // namespace connectid::inline v0
