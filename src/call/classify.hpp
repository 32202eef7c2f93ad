#pragma once

#include <algorithm>
#include <any>
#include <chrono>
#include <span>
#include <string>

#include <connectid/error.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/journal/journal.hpp>

#include "rate_limit/circuit_breaker.hpp"

namespace connectid::inline v0::detail {

/// On what condition an attempt may be repeated. Whether it holds, and whether there is time, the Exchange decides.
enum class RetryCondition {
  no,
  after_a_pause,          ///< nothing of it left, or too little to act on
  when_the_server_says,   ///< refused for now
  with_another_token,     ///< refused for its token
  where_it_does_no_harm,  ///< it may have acted
};

struct Classification {
  Outcome outcome = Outcome::unknown;
  ErrorKind kind = ErrorKind::unexpected_response;  ///< says nothing where the outcome is `succeeded`
  RetryCondition condition = RetryCondition::no;
  /// The truncated response says nothing; why it was truncated is what there is to tell.
  bool for_the_truncation = false;
  friend bool operator==(const Classification&, const Classification&) = default;
};

/// Which statuses an endpoint documents as success, where it says nothing else.
inline constexpr int ok_alone[] = {200};
[[nodiscard]] constexpr bool is_among(std::span<const int> statuses, int status) noexcept {
  return std::ranges::find(statuses, status) != statuses.end();
}

/// What the body of a success status says, read by the endpoint's decoder.
struct Reading {
  bool whole_json = false;  ///< JSON from its first to its last byte
  std::string reason;       ///< why this body is no success; empty: none
  bool enough = false;      ///< all that was asked for is in it, however the transfer ended
  std::any value = {};      ///< the decoded body, of the endpoint's own type
};

/// Who wrote the body of a refusal.
enum class RefusedBy {
  anybody,      ///< a gateway's page, or nothing
  application,  ///< the API's JSON, or OAuth's
};

/// THE table, from how an attempt ended to what is true of it. Pure. `deadline_passed`: the call's own time is up.
/// `reading` counts where the status is a documented success.
[[nodiscard]] Classification classify(const http::Response& response, const Reading& reading, RefusedBy by,
                                      bool deadline_passed, std::span<const int> success_statuses = ok_alone) noexcept;
[[nodiscard]] Classification classify(const http::Failure& failure, bool deadline_passed) noexcept;
/// A refusal of this call was believed, and then its repeat met a response that nobody had asked for: so the refusal
/// was perhaps another request's, too, and this one's own response is the one that nobody has seen.
[[nodiscard]] Classification classify_stray_after_refusal() noexcept;

/// What an attempt's end tells the circuit breaker: it fails where it may have acted, but for 500 and 501, which are an
/// application's own, and where a gateway says 502, 503 or 504. `outcome` is what `classify` says of it.
[[nodiscard]] Health health(const http::Response& response, Outcome outcome,
                            std::chrono::steady_clock::duration lasted) noexcept;
[[nodiscard]] Health health(const http::Failure& failure, std::chrono::steady_clock::duration lasted) noexcept;

}  // namespace connectid::inline v0::detail
