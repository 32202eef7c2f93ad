#include "auth/single_flight.hpp"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <system_error>
#include <utility>

#include "auth/token_endpoint.hpp"
#include "auth/token_life.hpp"
#include "base/random.hpp"
#include "call/blocking_driver.hpp"
#include "call/retry.hpp"

namespace connectid::inline v0::detail {
namespace {

using namespace std::chrono_literals;

/// Between renewals that fail: never at once, so that an authorization server that is down is not asked by every call.
constexpr RetryPolicy between_failures{.first_pause = 1s, .longest_pause = 60s};

/// A token that the API refuses so soon after one was renewed for a refusal is refused for something else.
constexpr auto soon_again = 60s;

/// A new thread begins with the signals of the one that makes it, and must not run the program's handlers.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

/// One renewal. However it ends, those who wait for it are woken.
class SingleFlight::InFlight {
 public:
  explicit InFlight(SingleFlight& token) noexcept : token_(token) {}
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  ~InFlight() {
    const std::lock_guard lock(token_.mutex_);
    token_.renewing_ = false;
    ++token_.renewals_;
    token_.look_at_ = TimePoint::min().time_since_epoch().count();
    token_.ended_.notify_all();
  }

 private:
  SingleFlight& token_;
};

SingleFlight::SingleFlight(Renew renew, std::chrono::milliseconds ahead, Clock clock, double (*random)())
    : renew_(std::move(renew)),
      ahead_(ahead),
      clock_(std::move(clock)),
      random_(random),
      broke_off_(token_error("the renewal was broken off by an exception, of the token store or the transport")) {}

// ---- the way of a call that finds a token

Result<AccessToken> SingleFlight::get(const TokenRequest& request) {
  const auto now = clock_().steady;
  if (auto token = living(request.refused, now)) {
    if (now.time_since_epoch().count() >= look_at_.load(std::memory_order_relaxed)) look_after(now);
    return *std::move(token);
  }
  return wait_for_a_renewal(request);
}

std::optional<AccessToken> SingleFlight::cached() const { return living({}, clock_().steady); }

std::optional<AccessToken> SingleFlight::living(const Secret& refused, TimePoint now) const {
  const std::shared_lock lock(token_mutex_);
  const bool was_refused = !refused.empty() && refused == token_;
  return now < ends_at_ && !was_refused ? std::optional(AccessToken{token_}) : std::nullopt;
}

Secret SingleFlight::current() const {
  const std::shared_lock lock(token_mutex_);
  return token_;
}

/// The first who comes when it is time begins the renewal, and the first who comes behind it joins its thread. Nobody
/// waits for either: where somebody else is at it, that is enough.
void SingleFlight::look_after(TimePoint now) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || renewing_) return;
  join_ended();
  if (now >= renew_at_) begin({});
}

// ---- the way of one that does not

Result<AccessToken> SingleFlight::wait_for_a_renewal(const TokenRequest& request) {
  std::unique_lock lock(mutex_);
  // Twice, for the renewal that is under way may bring the very token that was refused.
  for (int turn = 0; turn < 2; ++turn) {
    if (!renewing_) join_ended();
    const auto now = clock_().steady;
    if (auto token = living(request.refused, now)) return *std::move(token);
    const bool put_off = !renewing_ && failure_ && now < not_before_;
    const bool settled = !renewing_ && !put_off && now < settled_until_;
    if (settled && request.refused == current()) return AccessToken{current()};
    drop(request.refused);
    if (put_off) return *failure_;
    if (!renewing_) begin(request.refused);
    if (auto ended = wait(lock, request)) return *std::move(ended);
    if (!renewing_) join_ended();
    if (failure_) return *failure_;
    if (Secret token = current(); token != request.refused) return AccessToken{std::move(token)};
  }
  return AccessToken{current()};
}

/// Until the renewal ended, or until the caller's own time or patience did.
std::optional<Error> SingleFlight::wait(std::unique_lock<std::mutex>& lock, const TokenRequest& request) {
  const auto before = renewals_;
  const auto has_ended = [&] { return !renewing_ || renewals_ != before; };
  if (ended_.wait_until(lock, request.stop, request.deadline, has_ended)) return std::nullopt;
  if (request.stop.stop_requested()) {
    return Error(Outcome::not_sent, Cancelled{Stage::token}, "cancelled while the access token was being renewed");
  }
  return Error(Outcome::not_sent, DeadlineExceeded{Stage::token},
               "the time was up while the access token was being renewed");
}

/// Nobody else is given a token that the API has refused.
void SingleFlight::drop(const Secret& refused) {
  const std::lock_guard lock(token_mutex_);
  if (!refused.empty() && refused == token_) ends_at_ = TimePoint::min();
}

/// Under `mutex_`, and only where none is under way. A thread that ended and is not joined keeps its stack.
void SingleFlight::join_ended() {
  if (thread_.joinable()) thread_.join();
  look_at_ = renew_at_.time_since_epoch().count();
}

/// Under `mutex_`, and only where none is under way. Where no thread can be had, that is how the renewal ended.
void SingleFlight::begin(const Secret& refused) {
  const Secret worn_out = refused.empty() ? current() : refused;
  try {
    const AllSignalsBlocked here;
    thread_ = std::jthread([this, worn_out](const std::stop_token& leaving) { this->renew(worn_out, leaving); });
    renewing_ = true;
    look_at_ = TimePoint::max().time_since_epoch().count();
    forced_ = !refused.empty();
  } catch (const std::system_error& error) {
    note_failure({.error = token_error("no thread can be had to renew it: " + error.code().message()),
                  .pause = 1s,
                  .backs_off = false},
                 clock_().steady);
  }
}

// ---- the renewal, in its own thread

void SingleFlight::renew(const Secret& worn_out, const std::stop_token& leaving) {
  const InFlight in_flight(*this);
  std::optional<Renewed> renewed;
  try {
    renewed = renew_(worn_out, clock_().wall, leaving);
  } catch (...) {  // not what(): it may hold a secret
  }
  const Now now = clock_();
  auto* token = renewed ? std::get_if<auth::StoredToken>(&*renewed) : nullptr;
  const std::lock_guard lock(mutex_);
  if (token) return take(std::move(*token), now);
  note_failure(renewed ? std::get<NotRenewed>(*renewed) : NotRenewed{.error = broke_off_}, now.steady);
}

void SingleFlight::take(auth::StoredToken&& token, Now now) noexcept {
  const TokenLife life = life_of(token, ahead_, random_(), now);
  if (forced_) settle(now.steady, life.ends_at);
  failure_.reset();
  failures_ = 0;
  renew_at_ = life.renew_at;
  const std::lock_guard lock(token_mutex_);
  token_ = std::move(token.access_token);
  ends_at_ = life.ends_at;
}

/// An API that refuses every token must not have each renewed: from one renewal for a refusal to the next it takes a
/// second, and twice as long with each that follows soon.
void SingleFlight::settle(TimePoint now, TimePoint ends_at) noexcept {
  refusals_ = now < settled_until_ + soon_again ? refusals_ + 1 : 1;
  settled_until_ = std::min(now + back_off(between_failures, refusals_, 1), ends_at);
}

void SingleFlight::note_failure(const NotRenewed& failure, TimePoint now) noexcept {
  // From a half of it on: a full jitter could come to nothing.
  auto pause = failure.pause;
  if (failure.backs_off) pause = std::max(pause, back_off(between_failures, ++failures_, (1 + random_()) / 2));
  failure_ = failure.error;
  not_before_ = now + pause;
  renew_at_ = not_before_;
}

}  // namespace connectid::inline v0::detail

namespace connectid::inline v0 {
namespace {

/// What a source holds on to.
struct Source {
  Source(detail::Grant grant, auth::SourceOptions options)
      : ahead(options.renewal.ahead),
        refresher(grant, std::move(options)),
        token([this](const Secret& worn_out, Timestamp now,
                     const std::stop_token& leaving) { return refresher.renew(worn_out, now, leaving); },
              ahead, detail::read_clocks, detail::random_fraction) {}

  std::chrono::milliseconds ahead;
  detail::Refresher refresher;
  detail::SingleFlight token;
};

TokenSource source_of(detail::Grant grant, auth::SourceOptions options) {
  const auto source = std::make_shared<Source>(grant, std::move(options));
  const auto get = [source](const TokenRequest& request) -> Result<AccessToken> {
    if (const auto& usable = source->refresher.usable(); !usable) return usable.error();
    if (const auto own = source->refresher.check_api(request.api_url); !own) return own.error();
    return source->token.get(request);
  };
  return {get, [source] { return source->token.cached(); }};
}

}  // namespace

TokenSource auth::client_credentials_source(SourceOptions options) {
  return source_of(detail::Grant::client_credentials, std::move(options));
}

TokenSource auth::refresh_token_source(SourceOptions options) {
  return source_of(detail::Grant::refresh_token, std::move(options));
}

}  // namespace connectid::inline v0
