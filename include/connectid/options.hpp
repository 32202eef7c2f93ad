#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include <connectid/auth/token_source.hpp>
#include <connectid/environment.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/journal/journal.hpp>
#include <connectid/rate_limit/rate_limit.hpp>

namespace connectid::inline v0 {

/// How long things may take. Zero or less is no time at all. Deadlines are kept by the steady clock.
struct Timeouts {
  std::chrono::milliseconds connect{10'000};          ///< name, TCP, proxy and TLS of one attempt
  std::chrono::milliseconds attempt_timeout{30'000};  ///< one attempt, connect to response
  std::chrono::milliseconds timeout{120'000};         ///< the whole call, token included
};

/// How a call repeats what may be repeated, and how long it waits before it does. Fill it with designated initialisers.
///
/// Repeated are attempts of which nothing left (no connection, or one that was lost before the request; a certificate
/// that does not verify and a proxy that denies are final), a 429 whose response says when, and once a 401 for which
/// the token source has another token. Nothing is repeated that may have acted. A wait that would pass the call's
/// deadline is not begun. The rules, each with its reason: docs/outcomes.md.
struct RetryPolicy {
  /// How many attempts of a call may leave, all repeats counted. Those that never had a connection do not count, but 1
  /// (and less) says of them, too: never again.
  int max_attempts = 3;
  /// Before the second attempt, where the server names no pause: a random time up to this ("full jitter"). Doubled for
  /// each further attempt; while there is no connection, for each failure in a row. A wait for a connection
  /// takes 50 ms to 2 s.
  std::chrono::milliseconds first_pause{250};
  /// The doubling ends here.
  std::chrono::milliseconds longest_pause{10'000};
  /// A pause that a server names counts as no longer than this. Up to a tenth of it, and at least of a second, is
  /// added at random, so that not all who were told the same come back in the same moment. After a 429 it is never
  /// shorter than a second.
  std::chrono::milliseconds longest_named_pause{60'000};
  /// Shared by all calls of a client, so that an outage is not multiplied: so many attempts may be made again, and one
  /// more for every ten responses below 500. Repeats after a pause that the server named, after a 401, and of what
  /// never had a connection cost nothing.
  int budget = 50;
  /// Also send a start again that may have acted: the customer may then be charged twice. For those alone who know
  /// that a second start does no harm. The outcome stays `unknown` unless the response to a repeat is a success.
  bool repeat_unknown_starts = false;
  /// What never had a connection is tried again until so long after the first such failure in a row, or the call's
  /// deadline. 0: never again.
  std::chrono::milliseconds connect_for{20'000};
  /// The opposite of a repeat: after so many attempts in a row of a client's calls that ended within a second and may
  /// have acted, or whose response was 502, 503 or 504, its calls end `not_sent` (`circuit_open`), until one that is
  /// let through now and then gets a response. 0: never.
  int break_circuit_after = 5;
};

/// What a client is made of. Fill it with designated initialisers. What cannot be used does not throw: it is the
/// `configuration_error` of every call.
struct ClientOptions {
  Environment environment = Environment::production();  ///< which service
  TokenSource token_source = nullptr;  ///< for calls that bring none of their own; with neither: `configuration_error`
  std::shared_ptr<http::Transport> transport = nullptr;  ///< none: a CurlTransport with its default options
  RetryPolicy retry_policy = {};                         ///< what is repeated, how often, after which pause
  RateLimit rate_limit = RateLimit::per_client();        ///< keeps the client inside the API's limits
  std::shared_ptr<Journal> journal = nullptr;            ///< writes each call down before it leaves; none: nobody does
  std::string user_agent = {};                           ///< put before `connectid-cpp/<version>`: `my-shop/2.1`
  Timeouts timeouts = {};                                ///< for calls that bring none of their own
  bool copies_as_text = false;  ///< send `copies` as `"1"`, as the reference's example does, not as its table says
};

/// What one call may have of its own. Fields left out take the client's values; a time of zero or less is no
/// time at all. Fill it with designated initialisers.
///
/// What cannot be used (a call_id or a header that HTTP does not allow, a header that is the SDK's own) is a
/// `configuration_error`, and nothing is sent.
struct CallOptions {
  std::optional<std::chrono::milliseconds> timeout = std::nullopt;          ///< the whole call, token included
  std::optional<std::chrono::milliseconds> attempt_timeout = std::nullopt;  ///< one attempt, connect to response
  std::stop_token stop_token = {};                                          ///< cancels the call
  TokenSource token_source = nullptr;  ///< whose call it is: this one in place of the client's
  /// Sent as `X-Request-Id`: 1 to 128 visible ASCII characters. Empty: a UUIDv7 is made.
  std::string call_id = {};
  /// Sent beside the SDK's own, which cannot be replaced: Accept, Authorization, Content-Type, User-Agent,
  /// X-Request-Id, and what frames the body or belongs to the connection.
  http::Headers headers = {};
  /// All three in place of the client's; `timeout` and `attempt_timeout` above win over those in here.
  std::optional<Timeouts> timeouts = std::nullopt;
  /// In place of the client's as a whole, but for what all calls of a client share: `budget` and `break_circuit_after`
  /// are the client's, whatever stands in here.
  std::optional<RetryPolicy> retry_policy = std::nullopt;
};

}  // namespace connectid::inline v0
