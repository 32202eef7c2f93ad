#pragma once

#include <connectid/auth/file_token_store.hpp>
#include <connectid/auth/oauth_sources.hpp>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "input/settings.hpp"

namespace connectid::cli {

/// Where all runs of this user keep tokens. Throws UsageError where there is no place for them.
[[nodiscard]] std::shared_ptr<auth::FileTokenStore> token_store();

/// Somebody who was logged in, or is about to be.
struct Account {
  std::string name;
  auth::StoredToken stored = {};  ///< what is kept of it
};

/// --account over CONNECTID_ACCOUNT. Throws UsageError where one is empty.
[[nodiscard]] std::optional<std::string> named_account(const Arguments& arguments, const Variables& variables);

/// The only account, of those whose tokens are for that environment or of all; none where there is none. Throws
/// UsageError where there are several, with their names, where the file of any cannot be used, with the problem, and
/// where the store cannot be.
[[nodiscard]] std::optional<Account> only_account(const std::optional<Environment>& environment,
                                                  const auth::FileTokenStore& store);

/// The named account, or else the only one for that environment; none where no token of it is kept, for only a login
/// and an import make accounts. Throws UsageError as `only_account` does, and where the named one's file cannot be
/// used.
[[nodiscard]] std::optional<Account> find_account(const std::optional<std::string>& name,
                                                  const Environment& environment, auth::FileTokenStore& store);

/// Why `find_account` gave none.
[[nodiscard]] std::string not_logged_in(const std::optional<std::string>& name, const Environment& environment);

/// Who asks the authorization server for this account's tokens: CONNECTID_CLIENT_… and, where they say nothing, what
/// the store knows of it. Nothing where a stop is requested while a file
/// is read.
[[nodiscard]] std::optional<auth::Credentials> credentials_of(const Account& account, const Environment& environment,
                                                              const Arguments& arguments, const Variables& variables,
                                                              const std::stop_token& stop);

/// The account's tokens, by the grant that they came by. Renewed when there is need and not before: a run is over soon,
/// and nobody should wait for a renewal it has no use for.
[[nodiscard]] TokenSource source_of(const Account& account, auth::Credentials credentials,
                                    std::shared_ptr<auth::TokenStore> store, const Arguments& arguments);

}  // namespace connectid::cli
