#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <connectid/export.hpp>

namespace connectid::inline v0 {

namespace detail {
class Limiter;
}

/// How many requests may be sent in a time. Kept at 98 %, for two clocks never agree; and requests leave 5 % further
/// apart than that allows, for the quick ones catch up with the slow on their way. A rate that is no number above zero
/// counts as the API's own.
struct Rates {
  double per_second = 100;   ///< the API's own limit (docs/api-facts.md)
  double per_minute = 2000;  ///< the API's own limit (docs/api-facts.md)
};

/// Keeps calls inside the API's limits: each waits for its slot, first come first served, until its deadline or its
/// stop. It learns from `X-RateLimit-Remaining` and `X-RateLimit-Reset` when others spend the same allowance.
///
/// A copyable handle; copies are the same limit. Thread-safe.
class CONNECTID_API RateLimit {
 public:
  /// Each client that is made with it has a limit of its own.
  [[nodiscard]] static RateLimit per_client(Rates rates = {});
  /// All clients that are made with copies of it have one limit together.
  [[nodiscard]] static RateLimit shared(Rates rates = {});
  /// `per_client` with this part of the API's allowance (0.25: a quarter), so that a batch leaves room for the web
  /// shop. More than 1 counts as 1; less than 0.01, or what is no number, as 0.01.
  [[nodiscard]] static RateLimit share(double part);
  /// All processes on this machine that name the same file have one limit together: the API's. The file is made where
  /// there is none (0600), its directory is not. `part` may be lower: what those of them take together that give the
  /// same part, kept in a second file beside it. The files belong on a disk of this machine: what another machine wrote
  /// counts as nothing, so two that write to one in turn keep no limit. Nobody waits for their lock, and nothing
  /// throws because of them: see `error`.
  [[nodiscard]] static RateLimit across_processes(const std::filesystem::path& path, Rates part = {});
  /// No limit.
  [[nodiscard]] static RateLimit off();

  /// Why a file of `across_processes` cannot be used, so that this process keeps the limit alone; empty: all is well. A
  /// file that cannot be opened is not tried again.
  [[nodiscard]] std::string error() const;

 private:
  struct State;
  explicit RateLimit(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  friend class detail::Limiter;
  std::shared_ptr<const State> state_;
};

}  // namespace connectid::inline v0
