#include "auth/accounts.hpp"

#include <connectid/auth/oauth_sources.hpp>

#include <cerrno>
#include <utility>

#include "auth/token_endpoint.hpp"
#include "base/files.hpp"
#include "base/random.hpp"
#include "call/blocking_driver.hpp"

namespace connectid::inline v0::detail {
namespace {

using namespace std::chrono_literals;

NotRenewed never_begun(int error) {
  const Error why =
      error == ECANCELED
          ? Error(Outcome::not_sent, Cancelled{Stage::token}, "the renewal has not begun: its Accounts has ended")
          : token_error("the renewal has not begun: " + system_says(error), {.temporary = true});
  return {.error = why, .pause = 1s, .backs_off = false};
}

/// Where a function of the user's throws, its renewal, or its event, is all that ends.
void tell(const auth::TokenEventHandler& handler, const auth::TokenEvent& event) {
  try {
    if (handler) handler(event);
  } catch (...) {
  }
}

}  // namespace

Renewals::Renewals(std::unique_ptr<Renewer> by, const auth::AccountsOptions& options)
    : renewer(std::move(by)),
      ahead(options.renewal.ahead),
      on_event(options.on_event),
      clock(read_clocks),
      random(random_fraction),
      workers(options.workers) {}

Account::Account(std::string name, std::shared_ptr<Renewals> renewals)
    : name_(std::move(name)), renewals_(std::move(renewals)), token_(renewals_->ahead) {}

std::optional<Result<AccessToken>> Account::get(const TokenRequest& request, Handler done) {
  if (const auto fits = renewals_->renewer->check(name_, request.api_url); !fits) return fits.error();
  const Now now = renewals_->clock();
  const std::lock_guard lock(mutex_);
  HeldToken::Reply reply = token_.ask(request.refused, now);
  if (reply.token) {
    if (reply.renew) begin({}, now);
    return std::move(reply.token);
  }
  if (!done) return std::nullopt;
  if (reply.renew) {
    if (auto failed = begin(request.refused, now)) return *std::move(failed);
  }
  waiters_.push_back({request.refused, std::move(done)});
  return std::nullopt;
}

std::optional<AccessToken> Account::cached() const {
  const std::lock_guard lock(mutex_);
  return token_.live(renewals_->clock());
}

bool Account::can_be_forgotten() const {
  const std::lock_guard lock(mutex_);
  return !token_.put_off(renewals_->clock()) && !std::holds_alternative<Unsaved>(standing_);
}

/// With the mutex held.
std::optional<Error> Account::begin(const Secret& refused, Now now) {
  const Secret worn_out = token_.begin(refused);
  const int error = renewals_->workers.add(
      [self = shared_from_this(), worn_out](const std::stop_token& leaving) { self->renew(worn_out, leaving); });
  if (error == 0) return std::nullopt;
  token_.not_renewed(never_begun(error), now, 0);
  return token_.failure();
}

void Account::renew(const Secret& worn_out, const std::stop_token& leaving) {
  if (leaving.stop_requested()) return end(never_begun(ECANCELED));
  std::optional<Renewed> renewed;
  try {
    renewed = renewals_->renewer->renew(name_, standing_, worn_out, renewals_->clock().wall, leaving);
  } catch (...) {  // not what(): it may hold a secret
    renewed = NotRenewed{
        .error = token_error("the renewal was broken off by an exception, of the token store or the transport")};
  }
  end(*std::move(renewed));
}

/// Those who wait come before those who watch.
void Account::end(Renewed renewed) {
  using Kind = auth::TokenEvent::Kind;
  const Now now = renewals_->clock();
  auth::TokenEvent event{.account = name_};
  bool news = true;
  Told told;
  {
    const std::lock_guard lock(mutex_);
    if (auto* token = std::get_if<auth::StoredToken>(&renewed)) {
      event.until = token->expires_at;
      token_.renewed(std::move(*token), now, renewals_->random());
      told_to_log_in_ = false;
    } else {
      auto& failure = std::get<NotRenewed>(renewed);
      event.error = failure.error;
      event.until = token_.not_renewed(failure, now, renewals_->random());
      event.kind = needs_login(failure.error) ? Kind::log_in_again : Kind::put_off;
      if (event.kind == Kind::log_in_again) news = !std::exchange(told_to_log_in_, true);
    }
    told = let_go(now);
  }
  for (const auto& [done, token] : told) done(token);
  if (news) tell(renewals_->on_event, event);
}

/// Who need not wait any more. With the mutex held.
Account::Told Account::let_go(Now now) {
  Told told;
  std::vector<Waiter> waiting;
  for (Waiter& waiter : std::exchange(waiters_, {})) {
    if (auto token = token_.after_renewal(waiter.refused, now, waiter.second_time)) {
      told.emplace_back(std::move(waiter.done), *std::move(token));
    } else {
      waiter.second_time = true;
      waiting.push_back(std::move(waiter));
    }
  }
  const auto failed = waiting.empty() ? std::nullopt : begin(waiting.front().refused, now);
  if (failed) {
    for (Waiter& waiter : waiting) told.emplace_back(std::move(waiter.done), *failed);
  } else {
    waiters_ = std::move(waiting);
  }
  return told;
}

void Account::save_or_tell() {
  if (const auto error = renewals_->renewer->save_at_the_end(name_, standing_))
    tell(renewals_->on_event, {auth::TokenEvent::Kind::lost, name_, {}, error});
}

KnownAccounts::~KnownAccounts() {
  renewals_->workers.end();
  for (const auto& account : all_) account->save_or_tell();
}

std::shared_ptr<Account> KnownAccounts::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) {
    all_.splice(all_.end(), all_, found->second);
  } else {
    all_.push_back(std::make_shared<Account>(name, renewals_));
    by_name_.emplace(all_.back()->name(), std::prev(all_.end()));
  }
  auto account = all_.back();
  forget_some();
  return account;
}

/// Two for each one that is asked for, so that those of whom a source was held go once it is not; and no more, for all
/// may be held.
void KnownAccounts::forget_some() {
  for (int i = 0; i < 2 && all_.size() > remembered_; ++i) {
    const auto oldest = all_.begin();
    if (oldest->use_count() > 1 || !(*oldest)->can_be_forgotten()) {
      all_.splice(all_.end(), all_, oldest);
    } else {
      by_name_.erase((*oldest)->name());
      all_.erase(oldest);
    }
  }
}

namespace {

std::shared_ptr<Renewals> renewals_of(Grant grant, auth::Credentials credentials,
                                      std::shared_ptr<auth::TokenStore> store, const auth::AccountsOptions& options) {
  return std::make_shared<Renewals>(
      std::make_unique<StoreRenewer>(grant, std::move(credentials), std::move(store), options.renewal), options);
}

TokenSource source_of(Grant grant, auth::SourceOptions options) {
  if (options.account.empty() && grant == Grant::client_credentials) options.account = options.credentials.client_id;
  const auto known = std::make_shared<KnownAccounts>(
      renewals_of(grant, std::move(options.credentials), std::move(options.store),
                  {.workers = 1, .renewal = options.renewal, .on_event = std::move(options.on_event)}),
      1);
  // The source holds on to what knows the account, for its end is theirs.
  return TokenSource(std::shared_ptr<TokenProvider>(known, known->find(options.account).get()));
}

}  // namespace
}  // namespace connectid::inline v0::detail

namespace connectid::inline v0::auth {

struct Accounts::State : detail::KnownAccounts {
  using KnownAccounts::KnownAccounts;
};

Accounts::Accounts(Credentials credentials, std::shared_ptr<TokenStore> store, const AccountsOptions& options)
    : state_(std::make_unique<State>(
          detail::renewals_of(detail::Grant::refresh_token, std::move(credentials), std::move(store), options),
          options.remembered)) {}
Accounts::Accounts(Accounts&&) noexcept = default;
Accounts& Accounts::operator=(Accounts&&) noexcept = default;
Accounts::~Accounts() = default;

TokenSource Accounts::source(const std::string& account) const { return TokenSource(state_->find(account)); }

TokenSource client_credentials_source(SourceOptions options) {
  return detail::source_of(detail::Grant::client_credentials, std::move(options));
}

TokenSource refresh_token_source(SourceOptions options) {
  return detail::source_of(detail::Grant::refresh_token, std::move(options));
}

}  // namespace connectid::inline v0::auth
