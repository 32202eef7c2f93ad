#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/fault_bench.hpp"

namespace connectid::faults {

/// That the server of every row lets in. No message may show it.
inline constexpr auto good_token = "canary-access-token";

enum Variant : unsigned { fresh_plain = 1, fresh_tls = 2, reused_plain = 4, reused_tls = 8 };
inline constexpr unsigned everywhere = fresh_plain | fresh_tls | reused_plain | reused_tls;
inline constexpr unsigned fresh = fresh_plain | fresh_tls;
inline constexpr unsigned reused = reused_plain | reused_tls;
inline constexpr unsigned plain = fresh_plain | reused_plain;
inline constexpr unsigned tls = fresh_tls | reused_tls;

/// One kind of response or fault, and what is true of a start that meets it.
struct Row {
  std::string name;  ///< an identifier
  std::string what;  ///< for people: what happens to the request
  std::string outcome;
  std::string kind;            ///< empty where it is started
  int attempts = 1;            ///< how often the call gave its request to the transport
  bool more_attempts = false;  ///< or more often: connecting is tried for a time, not for a number
  int bodies = 1;              ///< request bodies that the server got whole
  int unknown_attempts = 1;    ///< where the outcome is unknown: how many attempts ended so
  /// Connections that the call opened beyond the least: one where it is fresh, none where one is reused. None: where
  /// the call has one attempt, none; else it is not looked at.
  std::optional<int> more_connections = {};
  unsigned variants = everywhere;
  std::function<void(Choices&)> choose = [](Choices&) {};
  /// Where a connection is to be reused: how it came to be idle. None: a start went well on it.
  std::function<void(Bench&)> warm_up = nullptr;
  std::function<void(Bench&)> arm = [](Bench&) {};     ///< just before the call
  std::function<void(Bench&)> verify = [](Bench&) {};  ///< what else must be true afterwards
};

/// For rows without a connection, which is waited for no longer than it takes to see that it is tried again.
inline void connect_briefly(Choices& choices) { choices.retry_policy.connect_for = std::chrono::milliseconds{300}; }

[[nodiscard]] const std::vector<Row>& rows();

// Rows that have a file of their own, named as the function is.
[[nodiscard]] std::vector<Row> repeats();           ///< a call has reason to try again
[[nodiscard]] std::vector<Row> early_responses();   ///< the response comes before the server has read the request
[[nodiscard]] std::vector<Row> strays();            ///< bytes that are no response to what was sent
[[nodiscard]] std::vector<Row> strict_reading();    ///< what two readers could take in two ways
[[nodiscard]] std::vector<Row> dead_connections();  ///< idle connections that nobody is at the other end of

/// docs/faults.md
[[nodiscard]] std::string markdown();

}  // namespace connectid::faults
