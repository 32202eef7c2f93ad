#pragma once

#include <chrono>
#include <optional>

#include <connectid/auth/token_source.hpp>

#include "auth/renewal.hpp"
#include "auth/token_life.hpp"

namespace connectid::inline v0::detail {

/// The token of one account in memory: what a call is given, and when there is a renewal. Pure: it is told the time and
/// what a renewal brought, and locks nothing.
class HeldToken {
 public:
  explicit HeldToken(std::chrono::milliseconds ahead) noexcept : ahead_(ahead) {}

  struct Reply {
    std::optional<Result<AccessToken>> token;  ///< none: it comes with a renewal
    bool renew = false;                        ///< a renewal is to be begun
  };
  /// A call's question. `refused` is the token that the API refused; it is given to nobody else.
  [[nodiscard]] Reply ask(const Secret& refused, Now now);
  /// To one who has waited for a renewal that ended now. None: it brought the very token that was refused, or one that
  /// has ended, and one more renewal may bring another (`last`: it may not).
  [[nodiscard]] std::optional<Result<AccessToken>> after_renewal(const Secret& refused, Now now, bool last) const;
  /// What is there, and may be used.
  [[nodiscard]] std::optional<AccessToken> live(Now now) const;

  /// A renewal begins, because this token was refused (empty: because it is time). Returns the token that it replaces.
  [[nodiscard]] Secret begin(const Secret& refused);
  /// `random`, from 0 up to 1.
  void renewed(auth::StoredToken&& token, Now now, double random) noexcept;
  /// Returns when the next renewal may begin.
  Timestamp not_renewed(const NotRenewed& failure, Now now, double random);

  /// Whether the next renewal waits, after one that failed.
  [[nodiscard]] bool put_off(Now now) const noexcept { return failure_ && now.steady < not_before_; }
  [[nodiscard]] const std::optional<Error>& failure() const noexcept { return failure_; }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  void settle(TimePoint now) noexcept;

  std::chrono::milliseconds ahead_;
  Secret token_;
  Moment ends_at_ = {TimePoint::min(), Timestamp::min()};
  Moment renew_at_ = Moment::never();
  bool renewing_ = false;
  bool forced_ = false;           ///< the next renewal is for a token that the API refused
  std::optional<Error> failure_;  ///< of the last renewal
  int failures_ = 0;              ///< since the last one that succeeded
  TimePoint not_before_ = {};     ///< the next renewal after a failure
  int refusals_ = 0;              ///< that a renewal was for, soon after one another
  TimePoint settled_until_ = {};  ///< until then a refused token is not renewed
};

}  // namespace connectid::inline v0::detail
