#pragma once

#include <string>
#include <string_view>

#include <connectid/auth/token_store.hpp>
#include <connectid/result.hpp>
#include <connectid/secret.hpp>

// A token in a file: one JSON object. `connectid_token` is the format. It is raised only where a reader of the old one
// would misunderstand; a new field leaves it as it is, and is skipped by those who do not know it.
//
//     {"connectid_token":1,"account":"anna","access_token":"…","obtained_at":1775012407123,"expires_at":1775055607123,
//      "refresh_token":"…","api_url":"https://…","login_url":"https://…","client_id":"shop"}
//
// and `"refused":"invalid_grant"` where the refresh token was.
// What nlohmann/json keeps of a token while it reads or writes is freed but not overwritten.
namespace connectid::inline v0::detail {

/// Whether they can be written without a loss: a configuration_error says why not.
[[nodiscard]] Result<void> can_be_kept(const std::string& account, const auth::StoredToken& token);

/// They must be such as can be kept.
[[nodiscard]] Secret stored_token_json(const std::string& account, const auth::StoredToken& token);

struct ReadToken {
  std::string account = {};
  auth::StoredToken token = {};
  bool newer_format = false;  ///< not to be understood
  std::string damage = {};    ///< why it is no token; empty: it is one, or of a newer format
};
[[nodiscard]] ReadToken read_stored_token(std::string_view text);

}  // namespace connectid::inline v0::detail
