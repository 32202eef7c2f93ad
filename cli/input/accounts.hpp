#pragma once

#include <connectid/auth/file_token_store.hpp>
#include <connectid/auth/oauth_sources.hpp>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "input/settings.hpp"

namespace connectid::cli {

/// Who calls, as the flags say.
struct AccountArguments {
  std::optional<std::string> account;
  std::optional<std::string> client_id;
};
void add_account(CLI::App& command, const char* text, AccountArguments& to);
void add_client(CLI::App& command, AccountArguments& to);

/// Where all runs of this user keep tokens. Throws UsageError where there is no place for them.
[[nodiscard]] std::shared_ptr<auth::FileTokenStore> token_store();

/// Somebody who was logged in, or is about to be.
struct Account {
  std::string name;
  auth::StoredToken stored = {};  ///< what is kept of it
};

/// Whether no renewal can help.
[[nodiscard]] bool must_log_in_again(const Error& error);

/// Who was logged in, for an environment or for all; and why the files of others, whosever they are, cannot be used.
/// Throws UsageError where the store cannot be.
struct KeptAccounts {
  std::vector<Account> fitting;
  std::vector<Error> unusable;
};
[[nodiscard]] KeptAccounts kept_accounts(const std::optional<Environment>& environment,
                                         const auth::FileTokenStore& store);

/// --account over CONNECTID_ACCOUNT. Throws UsageError where one is empty.
[[nodiscard]] std::optional<std::string> named_account(const AccountArguments& arguments, const Variables& variables);

/// The only account, of those whose tokens are for that environment or of all; none where there is none. Throws
/// UsageError where there are several, with their names, where the file of any cannot be used, with the reason, and
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
/// the store knows of it. Nothing where a stop is requested while a file is read.
[[nodiscard]] std::optional<auth::Credentials> credentials_of(const Account& account, const Environment& environment,
                                                              const AccountArguments& arguments,
                                                              const Variables& variables, const std::stop_token& stop);

/// For a login and an import: throws UsageError where no authorization server is known, before a secret is asked for.
[[nodiscard]] Environment environment_with_login(const ServiceArguments& arguments, const Variables& variables);
/// --client-id over CONNECTID_CLIENT_ID. Throws UsageError where one is empty.
[[nodiscard]] std::optional<std::string> client_id(const AccountArguments& arguments, const Variables& variables);
/// Throws UsageError where there is none.
void require_client_id(const auth::Credentials& credentials);

/// A token, and what ends a refresh only after the response was told.
struct GotToken {
  Result<AccessToken> token;
  std::shared_ptr<const void> source;
};
/// A valid token, other than `refused`.
[[nodiscard]] GotToken get_token(const std::shared_ptr<auth::FileTokenStore>& store, const Account& account,
                                 auth::Credentials credentials, const Secret& refused, const CallLimits& limits,
                                 const std::stop_token& stop);

/// On standard error, for it comes once the rest was told: a new refresh token that could not be kept.
void tell_what_is_lost(const auth::TokenEvent& event);

/// The account's tokens, by the grant that they came by. One is refreshed when it has expired and not before: a run is
/// short, and nobody should wait for a token that it does not use. Its end tells what is lost.
[[nodiscard]] TokenSource source_of(const Account& account, auth::Credentials credentials,
                                    std::shared_ptr<auth::TokenStore> store, const RetryPolicy& retry_policy);

}  // namespace connectid::cli
