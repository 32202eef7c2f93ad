#include "auth/held_token.hpp"

#include <algorithm>
#include <utility>

#include "base/time.hpp"
#include "call/retry.hpp"

namespace connectid::inline v0::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// Between renewals that fail: never at once, so that an authorization server that is down is not asked by every call.
constexpr RetryPolicy between_failures{.first_pause = 1s, .longest_pause = 60s};

/// A token that the API refuses so soon after one was renewed for a refusal is refused for something else.
constexpr auto soon_again = 60s;

/// What the calls are told until the next renewal.
Error with_the_pause(const Error& error, Timestamp until) {
  const auto* detail = error.get_if<TokenError>();
  if (!detail || !detail->temporary) return error;
  return token_error(error.message() + "; renewal put off until " + utc(until), *detail);
}

/// Another renewal so soon would not help, nor would a log-in.
Error refused_again(milliseconds pause, Timestamp now) {
  return with_the_pause(token_error("the API refused an access token that was renewed just now", {.temporary = true}),
                        now + pause);
}

}  // namespace

HeldToken::Reply HeldToken::ask(const Secret& refused, Now now) {
  const bool was_refused = !refused.empty() && refused == token_;
  const bool live = !ends_at_.has_come(now);
  if (live && !was_refused) return {AccessToken{token_}, !renewing_ && renew_at_.has_come(now)};
  if (live && !renewing_ && now.steady < settled_until_) {
    return {refused_again(std::chrono::ceil<milliseconds>(settled_until_ - now.steady), now.wall)};
  }
  if (was_refused) {
    ends_at_.steady = TimePoint::min();
    forced_ = true;
  }
  if (put_off(now)) return {*failure_};
  return {.token = std::nullopt, .renew = !renewing_};
}

std::optional<Result<AccessToken>> HeldToken::after_renewal(const Secret& refused, Now now, bool last) const {
  if (failure_) return *failure_;
  const bool ended = ends_at_.has_come(now);
  if (!last && (ended || token_ == refused)) return std::nullopt;
  if (ended) return token_error("the token that a renewal brought had ended when it came", {.temporary = true});
  return AccessToken{token_};
}

std::optional<AccessToken> HeldToken::live(Now now) const {
  return ends_at_.has_come(now) ? std::nullopt : std::optional(AccessToken{token_});
}

Secret HeldToken::begin(const Secret& refused) {
  renewing_ = true;
  forced_ = forced_ || !refused.empty();
  return refused.empty() ? token_ : refused;
}

void HeldToken::renewed(auth::StoredToken&& token, Now now, double random) noexcept {
  const TokenLife life = life_of(token, ahead_, random, now);
  renewing_ = false;
  failure_.reset();
  failures_ = 0;
  token_ = std::move(token.access_token);
  ends_at_ = life.ends_at;
  renew_at_ = life.renew_at;
  if (std::exchange(forced_, false)) settle(now.steady);
}

/// An API that refuses every token must not have each renewed: from one renewal for a refusal to the next it takes a
/// second, and twice as long with each that follows soon.
void HeldToken::settle(TimePoint now) noexcept {
  refusals_ = now < settled_until_ + soon_again ? refusals_ + 1 : 1;
  settled_until_ = now + back_off(between_failures, refusals_, 1);
}

Timestamp HeldToken::not_renewed(const NotRenewed& failure, Now now, double random) {
  // From a half of it on: a full jitter could come to nothing.
  auto pause = failure.pause;
  if (failure.backs_off) pause = std::max(pause, back_off(between_failures, ++failures_, (1 + random) / 2));
  renewing_ = false;
  failure_ = with_the_pause(failure.error, now.wall + pause);
  not_before_ = now.steady + pause;
  renew_at_ = {not_before_, Timestamp::max()};
  return now.wall + pause;
}

}  // namespace connectid::inline v0::detail
