#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <connectid/auth/accounts.hpp>

#include "auth/held_token.hpp"
#include "auth/renewal.hpp"
#include "base/workers.hpp"

namespace connectid::inline v0::detail {

/// What renews the tokens of many accounts.
struct Renewals {
  Renewals(std::unique_ptr<Renewer> by, const auth::AccountsOptions& options);

  const std::unique_ptr<Renewer> renewer;
  const std::chrono::milliseconds ahead;
  const auth::TokenEventHandler on_event;
  std::function<Now()> clock;
  double (*random)();  ///< from 0 up to 1
  Workers workers;
};

/// The token of one account, for all threads.
class Account final : public TokenProvider, public std::enable_shared_from_this<Account> {
 public:
  Account(std::string name, std::shared_ptr<Renewals> renewals);

  std::optional<Result<AccessToken>> get(const TokenRequest& request, Handler done) override;
  std::optional<AccessToken> cached() const override;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Whether the store knows all that is known of it here.
  [[nodiscard]] bool can_be_forgotten() const;
  /// When there are no more renewals.
  void save_or_tell();

 private:
  struct Waiter {
    Secret refused;
    Handler done;
    bool second_time = false;
  };
  using Told = std::vector<std::pair<Handler, Result<AccessToken>>>;

  std::optional<Error> begin(const Secret& refused, Now now);
  void renew(const Secret& worn_out, const std::stop_token& leaving);
  void end(Renewed renewed);
  [[nodiscard]] Told let_go(Now now);

  const std::string name_;
  const std::shared_ptr<Renewals> renewals_;
  mutable std::mutex mutex_;
  HeldToken token_;
  std::vector<Waiter> waiters_;
  bool told_to_log_in_ = false;  ///< an operator was, and there was no token since
  Standing standing_;            ///< while a renewal is under way its alone, without the mutex
};

/// The accounts that are in memory: all that somebody holds a source of, and so many more.
class KnownAccounts {
 public:
  KnownAccounts(std::shared_ptr<Renewals> renewals, std::size_t remembered)
      : renewals_(std::move(renewals)), remembered_(remembered) {}
  KnownAccounts(const KnownAccounts&) = delete;
  KnownAccounts& operator=(const KnownAccounts&) = delete;
  /// Waits for the renewals, and tells of what could not be saved.
  ~KnownAccounts();

  [[nodiscard]] std::shared_ptr<Account> find(const std::string& name);
  [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }

 private:
  void forget_some();

  const std::shared_ptr<Renewals> renewals_;
  const std::size_t remembered_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Account>> all_;  ///< who was asked for last comes last
  std::unordered_map<std::string_view, decltype(all_)::iterator> by_name_;
};

}  // namespace connectid::inline v0::detail
