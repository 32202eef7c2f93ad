#pragma once

#include <chrono>

namespace connectid::inline v0 {

/// How a call repeats what may be repeated, and how long it waits before it does. Fill it with designated initialisers.
///
/// Repeated are attempts that never had a connection (`not_sent` at the stages resolve, connect and handshake; a
/// certificate that does not verify is final), a 429 whose answer says when, and once a 401 for which the token source
/// has another token. Nothing is repeated that may have acted. A wait that would pass the call's deadline is not begun.
/// The rules, each with its reason: docs/outcomes.md.
struct RetryPolicy {
  /// How often a call may give its request to the transport, all repeats counted; 1 (and less): never again.
  int max_attempts = 3;
  /// Before the second attempt, where the server names no pause: a random time up to this ("full jitter"). Doubled for
  /// each further attempt.
  std::chrono::milliseconds first_pause{250};
  /// The doubling ends here.
  std::chrono::milliseconds longest_pause{10'000};
  /// A pause that a server names counts as no longer than this. Up to a tenth of it, and at least of a second, is
  /// added at random, so that not all who were told the same come back in the same moment.
  std::chrono::milliseconds longest_named_pause{60'000};
  /// Shared by all calls of a client, so that an outage is not multiplied: so many attempts may be made again, and one
  /// more for every ten answers below 500. Repeats after a pause that the server named, and after a 401, cost nothing.
  int budget = 50;
  /// Also send a start again that may have acted: the customer may then be charged twice. For those alone who know
  /// that a second start does no harm. The outcome stays `unknown` unless a repeat is answered with success.
  bool repeat_unknown_starts = false;
};

}  // namespace connectid::inline v0
