#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

#include <connectid/export.hpp>
#include <connectid/result.hpp>
#include <connectid/secret.hpp>

namespace connectid::inline v0 {

/// What lets a call in: the OAuth access token of a customer.
struct AccessToken {
  Secret value = {};  ///< as it stands after `Bearer `: visible ASCII characters (RFC 6750 section 2.1)
};

/// What a token source may take into account.
struct TokenRequest {
  std::chrono::steady_clock::time_point deadline = {};  ///< the call's; a source that waits ends by then
  std::stop_token stop = {};                            ///< the call's; a source that waits ends when it is requested
  /// The token that the server just refused for this call (401); empty: none. A source that can get another one does so
  /// now; one that returns the same token ends the call with the server's 401.
  Secret refused = {};
};

/// Gives an access token for each call. Called from many threads at once. An Error or an exception ends the call
/// `not_sent` with kind `token_error` (an Error of kind `cancelled` or `deadline_exceeded` keeps its kind).
using TokenSource = std::function<Result<AccessToken>(const TokenRequest&)>;

/// Always the same token. Thread-safe.
[[nodiscard]] CONNECTID_API TokenSource static_token(Secret access_token);

}  // namespace connectid::inline v0
