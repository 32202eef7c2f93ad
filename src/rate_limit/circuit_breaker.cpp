#include "rate_limit/circuit_breaker.hpp"

#include <algorithm>

namespace connectid::inline v0::detail {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds first_pause{1'000};
constexpr milliseconds longest_pause{30'000};

}  // namespace

Circuit::Pass Circuit::ask(TimePoint now) noexcept {
  if (!open_) return Pass::normal;
  if (probing_ || now < next_probe_) return Pass::refused;
  probing_ = true;
  return Pass::probe;
}

CircuitIsOpen Circuit::why(TimePoint now) const {
  const auto until_the_probe = std::chrono::ceil<milliseconds>(next_probe_ - now);
  return {.since = since_,
          .retry_in = probing_ ? pause_ : std::max(until_the_probe, milliseconds{0}),
          .probing = probing_,
          .failures = break_after_,
          .last = last_};
}

void Circuit::hold_back(const std::string& what, TimePoint now) {
  last_ = what;
  next_probe_ = now + pause_;
}

void Circuit::ended(Pass as, Health health, const std::string& what, TimePoint now) {
  const bool failed = health == Health::fails || health == Health::fails_at_once;
  if (as == Pass::probe) {
    probing_ = false;
    if (health == Health::responds) {
      open_ = false;
      failures_ = 0;
    } else if (failed) {
      pause_ = std::min(2 * pause_, longest_pause);
      hold_back(what, now);
    }
    return;
  }
  if (open_) return;  // let through before it opened: what the probe finds out is newer
  if (health == Health::responds) failures_ = 0;
  if (health != Health::fails_at_once || break_after_ <= 0 || ++failures_ < break_after_) return;
  open_ = true;
  since_ = now;
  pause_ = first_pause;
  hold_back(what, now);
}

std::optional<CircuitIsOpen> Passage::ask(Circuit::TimePoint now) {
  if (probe_) return std::nullopt;
  const std::lock_guard lock(breaker_->mutex_);
  const Circuit::Pass pass = breaker_->circuit_.ask(now);
  if (pass == Circuit::Pass::refused) return breaker_->circuit_.why(now);
  if (pass == Circuit::Pass::probe) probe_.reset(breaker_);
  return std::nullopt;
}

void Passage::ended(Health health, const std::string& what, Circuit::TimePoint now) {
  const Circuit::Pass as = probe_.release() ? Circuit::Pass::probe : Circuit::Pass::normal;
  const std::lock_guard lock(breaker_->mutex_);
  breaker_->circuit_.ended(as, health, what, now);
}

void Passage::GiveBack::operator()(CircuitBreaker* breaker) const noexcept {
  const std::lock_guard lock(breaker->mutex_);
  breaker->circuit_.give_back_the_probe();
}

}  // namespace connectid::inline v0::detail
