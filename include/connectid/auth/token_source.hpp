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

/// What a source of tokens is made of that keeps no thread waiting. `auth::Accounts` makes them; derive from it for a
/// source of your own that asks something slow. Its functions are called from many threads at once.
class CONNECTID_API TokenProvider {
 public:
  /// Takes the token that was waited for, or why there is none. It must neither throw nor wait, nor let go of the last
  /// copy of a `client_credentials_source` or a `refresh_token_source`, whose end would wait for the handler.
  using Handler = std::function<void(const Result<AccessToken>&)>;

  TokenProvider() = default;
  TokenProvider(const TokenProvider&) = delete;
  TokenProvider& operator=(const TokenProvider&) = delete;
  virtual ~TokenProvider() = default;

  /// The token, or the error, that is there: at once. Where there is neither, none: then `done` is called exactly once,
  /// from another thread, as soon as there is; the request's deadline and stop do not end that. With no `done` nobody
  /// waits, and nothing is begun for the call.
  [[nodiscard]] virtual std::optional<Result<AccessToken>> get(const TokenRequest& request, Handler done) = 0;
  /// See TokenSource. The default has none.
  [[nodiscard]] virtual std::optional<AccessToken> cached() const { return std::nullopt; }
};

/// Gives an access token for each call: `static_token`, `auth::client_credentials_source`, `auth::Accounts`, or any
/// function of yours that takes a TokenRequest and returns a `Result<AccessToken>`. It is called from many threads at
/// once. An Error or an exception ends the call `not_sent` with kind `token_error` (an Error of kind `cancelled` or
/// `deadline_exceeded` keeps its kind). A cheap handle: copies are one source.
class CONNECTID_API TokenSource {
 public:
  using Function = std::function<Result<AccessToken>(const TokenRequest&)>;  ///< gives a token; may block

  /// None: a client without another one makes no call.
  TokenSource() = default;
  /// The same.
  TokenSource(std::nullptr_t) {}
  /// A function of yours; implicit, so that an option takes a lambda.
  template <class Callable>
  requires(!std::same_as<std::remove_cvref_t<Callable>, TokenSource> && std::constructible_from<Function, Callable>)
      TokenSource(Callable&& get)  // NOLINT(bugprone-forwarding-reference-overload): it takes no TokenSource
      : TokenSource(Function(std::forward<Callable>(get))) {}
  /// The same. An empty one is none.
  TokenSource(Function get);
  /// One that blocks nobody. Null is none.
  explicit TokenSource(std::shared_ptr<TokenProvider> provider) noexcept : provider_(std::move(provider)) {}

  /// A token for a call, or why there is none. Blocks until the request's deadline or stop at the longest. There must
  /// be a source.
  [[nodiscard]] Result<AccessToken> operator()(const TokenRequest& request) const;
  /// See TokenProvider: for those who do not block. A function of yours is called at once, and may block all the same:
  /// see `may_block`. There must be a source.
  [[nodiscard]] std::optional<Result<AccessToken>> get(const TokenRequest& request, TokenProvider::Handler done) const;
  /// Whether it is made of a function, which may block.
  [[nodiscard]] bool may_block() const noexcept;
  /// The token that a call would be given now without a wait, a file or a network; none where there is no such token,
  /// or where the source keeps none. Never blocks, never starts anything.
  [[nodiscard]] std::optional<AccessToken> cached() const;
  /// Whether there is one.
  [[nodiscard]] explicit operator bool() const noexcept { return provider_ != nullptr; }

 private:
  std::shared_ptr<TokenProvider> provider_;
};

/// For those who write a token source or a store: there is no token, and nothing was sent. `message` is one line
/// without secrets: `token_error("our session has ended", {.log_in_again = true})`.
[[nodiscard]] CONNECTID_API Error token_error(std::string message, TokenError detail = {});

/// Always the same token. Thread-safe.
[[nodiscard]] CONNECTID_API TokenSource static_token(Secret access_token);

}  // namespace connectid::inline v0
