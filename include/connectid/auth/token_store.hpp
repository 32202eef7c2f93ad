#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include <connectid/export.hpp>
#include <connectid/result.hpp>
#include <connectid/secret.hpp>
#include <connectid/timestamp.hpp>

namespace connectid::inline v0::auth {

/// What a store keeps of one account.
struct StoredToken {
  Secret access_token = {};    ///< empty: none
  Timestamp obtained_at = {};  ///< when the access token came (wall time)
  Timestamp expires_at = {};   ///< when it ends (wall time)
  Secret refresh_token = {};   ///< empty: none, as after client credentials
  std::string api_url = {};    ///< the API that the tokens are for
  std::string login_url = {};  ///< the authorization server that they came from, and that the refresh token goes to
  std::string client_id = {};  ///< the client that they were given to
  /// The OAuth error that the authorization server refused the refresh token with: `invalid_grant`. It is not sent
  /// again; the customer must log in again. Empty: it was not refused.
  std::string refused = {};
};

/// How an account's lock is asked for. Fill it with designated initialisers.
struct LockRequest {
  /// Until when to wait for it. A lock that nobody holds is had at once, even then.
  std::chrono::steady_clock::time_point deadline = {};
  /// About so long it is held at most. A store whose locks are leases lets one last so long, and a margin to save.
  std::chrono::milliseconds held_for{60'000};
  std::stop_token stop = {};  ///< ends the wait
};

/// Where tokens are kept, by account: a name of the caller's choosing, any text in UTF-8. `MemoryTokenStore` and
/// `FileTokenStore` are ready ones; examples/sqlite_token_store.hpp is one over a database.
///
/// All four are called from many threads at once. What cannot be done is an Error, best of kind `token_error` with
/// a message of one line (the outcome is `not_sent`); an exception is taken for one. No message may hold a token.
class CONNECTID_API TokenStore {
 public:
  TokenStore() = default;
  TokenStore(const TokenStore&) = delete;
  TokenStore& operator=(const TokenStore&) = delete;
  virtual ~TokenStore() = default;

  /// What was saved last; none where nothing was. An error with `TokenError::log_in_again` says that what was kept is
  /// lost for good, so that the customer must log in again.
  [[nodiscard]] virtual Result<std::optional<StoredToken>> load(const std::string& account) = 0;

  /// Called with the account's lock held. Returns once it is kept for good: a refresh token that was replaced is worth
  /// nothing, and the new one exists only here.
  [[nodiscard]] virtual Result<void> save(const std::string& account, const StoredToken& token) = 0;

  /// Forgets the account for good: `load` gives none. Called with its lock held. One that is not there is forgotten
  /// already.
  [[nodiscard]] virtual Result<void> remove(const std::string& account) = 0;

  /// Held until the last copy of it goes, or until the process ends, however it ends.
  using Lock = std::shared_ptr<void>;
  /// For one holder at a time, of all threads and of all processes that use the store. It is held while a token is
  /// renewed, so that no two spend the same refresh token. A lock that was not had in time is an Error.
  [[nodiscard]] virtual Result<Lock> lock(const std::string& account, const LockRequest& request) = 0;
};

/// Keeps tokens as long as it lives. Thread-safe.
class CONNECTID_API MemoryTokenStore final : public TokenStore {
 public:
  MemoryTokenStore();
  ~MemoryTokenStore() override;

  /// Never fails.
  [[nodiscard]] Result<std::optional<StoredToken>> load(const std::string& account) override;
  /// Never fails.
  [[nodiscard]] Result<void> save(const std::string& account, const StoredToken& token) override;
  /// Never fails.
  [[nodiscard]] Result<void> remove(const std::string& account) override;
  /// See TokenStore. A lock may outlive the store.
  [[nodiscard]] Result<Lock> lock(const std::string& account, const LockRequest& request) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace connectid::inline v0::auth
