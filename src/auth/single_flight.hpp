#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stop_token>
#include <thread>
#include <variant>

#include <connectid/auth/token_source.hpp>

#include "auth/refresher.hpp"
#include "call/exchange.hpp"

namespace connectid::inline v0::detail {

/// The token of one account for many threads, renewed by one at a time: when, and who waits. Thread-safe.
///
/// Two locks, and never one within the other but in this order: `mutex_` for renewals, `token_mutex_` for the token,
/// which those who only read it share.
class SingleFlight {
 public:
  using Clock = std::function<Now()>;
  using Renew = std::function<std::variant<auth::StoredToken, NotRenewed>(const Secret& worn_out, Timestamp now,
                                                                          const std::stop_token& leaving)>;

  SingleFlight(Renew renew, std::chrono::milliseconds ahead, Clock clock, double (*random)());
  SingleFlight(const SingleFlight&) = delete;
  SingleFlight& operator=(const SingleFlight&) = delete;
  /// Waits for the renewal that is under way.
  ~SingleFlight() = default;

  [[nodiscard]] Result<AccessToken> get(const TokenRequest& request);
  [[nodiscard]] std::optional<AccessToken> cached() const;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Renewed = std::variant<auth::StoredToken, NotRenewed>;
  class InFlight;

  std::optional<AccessToken> living(const Secret& refused, TimePoint now) const;
  Secret current() const;
  void look_after(TimePoint now);
  Result<AccessToken> wait_for_a_renewal(const TokenRequest& request);
  void drop(const Secret& refused);
  void begin(const Secret& refused);
  void join_ended();
  std::optional<Error> wait(std::unique_lock<std::mutex>& lock, const TokenRequest& request);
  void renew(const Secret& worn_out, const std::stop_token& leaving);
  void take(auth::StoredToken&& token, Now now) noexcept;
  void settle(TimePoint now, TimePoint ends_at) noexcept;
  void note_failure(const NotRenewed& failure, TimePoint now) noexcept;

  const Renew renew_;
  const std::chrono::milliseconds ahead_;
  const Clock clock_;
  double (*const random_)();
  const Error broke_off_;  ///< made before it is needed: there may be no memory then

  mutable std::shared_mutex token_mutex_;
  Secret token_;
  TimePoint ends_at_ = TimePoint::min();  ///< from then on, or once it was refused, it is dead
  std::atomic<TimePoint::rep> look_at_ = TimePoint::min().time_since_epoch().count();  ///< one who reads looks after it

  std::mutex mutex_;
  std::condition_variable_any ended_;
  bool renewing_ = false;
  bool forced_ = false;                      ///< the renewal is for a token that the API refused
  std::uint64_t renewals_ = 0;               ///< that ended
  std::optional<Error> failure_;             ///< of the last renewal
  int failures_ = 0;                         ///< since the last one that succeeded
  TimePoint renew_at_ = TimePoint::min();    ///< the next renewal, while the token lives
  TimePoint not_before_ = TimePoint::min();  ///< the next renewal after a failure
  int refusals_ = 0;                         ///< that a renewal was for, soon after one another
  TimePoint settled_until_ = {};             ///< until then a refused token is not renewed
  std::jthread thread_;                      // the last member: it is joined before the others go
};

}  // namespace connectid::inline v0::detail
