#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

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
  /// The call's; a source that waits ends by then. max(): never.
  std::chrono::steady_clock::time_point deadline = (std::chrono::steady_clock::time_point::max)();
  std::stop_token stop = {};  ///< the call's; a source that waits ends when it is requested
  /// The token that the server just refused for this call (401); empty: none. A source that can get another one does so
  /// now; one that returns the same token ends the call with the server's 401.
  Secret refused = {};
  /// The base of the API's URLs that the token will be sent to; empty: not said. A source whose tokens are another
  /// API's gives none. It lives as long as the call to the source.
  std::string_view api_url = {};
};

/// Gives an access token for each call: `static_token`, `auth::client_credentials_source`,
/// `auth::refresh_token_source`, or any function of yours that takes a
/// TokenRequest and returns a `Result<AccessToken>`. It is called from many threads at once. An Error or an exception
/// ends the call `not_sent` with kind `token_error` (an Error of kind `cancelled` or `deadline_exceeded` keeps its
/// kind). A cheap handle: copies are one source.
class CONNECTID_API TokenSource {
 public:
  using Function = std::function<Result<AccessToken>(const TokenRequest&)>;  ///< gives a token; may block
  using Cached = std::function<std::optional<AccessToken>()>;                ///< what is there already; never blocks

  /// None: a client without another one makes no call.
  TokenSource() = default;
  /// The same.
  TokenSource(std::nullptr_t) {}
  /// A function of yours; implicit, so that an option takes a lambda.
  template <class Callable>
  requires(!std::same_as<std::remove_cvref_t<Callable>, TokenSource> && std::constructible_from<Function, Callable>)
      TokenSource(Callable&& get)  // NOLINT(bugprone-forwarding-reference-overload): it takes no TokenSource
      : TokenSource(Function(std::forward<Callable>(get)), Cached()) {}
  /// One that keeps tokens, too.
  TokenSource(Function get, Cached cached);

  /// Asks it. There must be one.
  [[nodiscard]] Result<AccessToken> operator()(const TokenRequest& request) const;
  /// The token that a call would be given now without a wait, a file or a network; none where there is no such token,
  /// or where the source keeps none. Never blocks, never starts anything.
  [[nodiscard]] std::optional<AccessToken> cached() const;
  /// Whether there is one.
  [[nodiscard]] explicit operator bool() const noexcept { return functions_ != nullptr; }

 private:
  struct Functions;
  std::shared_ptr<const Functions> functions_;
};

/// For those who write a token source or a store: there is no token, and nothing was sent. `message` is one line
/// without secrets: `token_error("our session has ended", {.log_in_again = true})`.
[[nodiscard]] CONNECTID_API Error token_error(std::string message, TokenError detail = {});

/// Always the same token. Thread-safe.
[[nodiscard]] CONNECTID_API TokenSource static_token(Secret access_token);

}  // namespace connectid::inline v0
