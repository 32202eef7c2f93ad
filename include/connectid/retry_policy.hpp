#pragma once

#include <chrono>

namespace connectid::inline v0 {

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
  /// that a second start does no harm. The outcome stays `unknown` unless a repeat is answered with success.
  bool repeat_unknown_starts = false;
  /// What never had a connection is tried again until so long after the first such failure in a row, or the call's
  /// deadline. 0: never again.
  std::chrono::milliseconds connect_for{20'000};
  /// The opposite of a repeat: after so many attempts in a row of a client's calls that ended within a second and may
  /// have acted, or were answered with 502, 503 or 504, its calls end `not_sent` (`circuit_open`), until one that is
  /// let through now and then is answered. 0: never.
  int break_circuit_after = 5;
};

}  // namespace connectid::inline v0
