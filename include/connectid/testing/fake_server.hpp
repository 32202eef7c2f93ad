#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <connectid/environment.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/subscription/start_subscription.hpp>
#include <connectid/testing/certificate.hpp>
#include <connectid/testing/fault_gate.hpp>

namespace connectid::inline v0::testing {

/// What the server does with one request. Made by the functions below, which name what they do.
struct Script {
  /// A response of its own.
  struct HttpResponse {
    int status = 200;            ///< as it is
    std::string body = {};       ///< as it is
    http::Headers headers = {};  ///< beside those that frame the body
  };
  bool acts = true;  ///< follow the documented rules; false: the request is read and counted, no more
  std::optional<HttpResponse> response = {};  ///< in place of the response by the rules
  Fault fault = {};                           ///< what the gate does to the exchange
};

// Each is one Script; byte numbers count the bytes of one exchange, inside TLS where there is TLS.

/// This response; nothing is started. The server frames it itself, so Content-Length and Transfer-Encoding in `headers`
/// are dropped (`raw_response` is for those that lie), and gives a Content-Type where none is named.
[[nodiscard]] Script response(int status, std::string body, http::Headers headers = {});
/// The request is obeyed, then the connection ends (FIN unless told) before the response's first byte.
[[nodiscard]] Script started_but_response_lost(Fault::End end = Fault::End::fin);
/// The request is read whole, then the connection ends; nothing is started.
[[nodiscard]] Script lost_before_acting(Fault::End end = Fault::End::fin);
/// 429 with `Retry-After` (in whole seconds, rounded up) and `X-RateLimit-Remaining: 0`.
[[nodiscard]] Script rate_limited_for(std::chrono::milliseconds pause);
/// Obeyed; the response comes so much later.
[[nodiscard]] Script delayed(std::chrono::milliseconds pause);
/// Obeyed; the response comes byte by byte with this pause between.
[[nodiscard]] Script slow(std::chrono::milliseconds between_bytes);
/// Obeyed; the response never comes and the connection stays open.
[[nodiscard]] Script silent();
/// The connection ends once so many bytes of the request came: the server never has it whole.
[[nodiscard]] Script truncate_request_at(std::size_t byte, Fault::End end = Fault::End::fin);
/// Obeyed; the connection ends once so many bytes of the response went.
[[nodiscard]] Script truncate_response_at(std::size_t byte, Fault::End end = Fault::End::fin);
/// Obeyed; then exactly these bytes are the response.
[[nodiscard]] Script raw_response(std::string bytes, Fault::End end = Fault::End::keep);
/// Obeyed; the response is not HTTP, then the connection ends.
[[nodiscard]] Script garbage();
/// Obeyed; 200 with a JSON body of so many bytes (15 or more), before it is compressed for a client that accepts that.
[[nodiscard]] Script huge(std::size_t bytes);
/// Obeyed; then the connection ends without a response and new ones are refused.
[[nodiscard]] Script gone();
/// An OAuth error in place of tokens (RFC 6749 section 5.2), for `next_token_request`.
[[nodiscard]] Script token_error(int status, std::string error, std::string error_description = {});

/// One subscription that was started.
struct StartedSubscription {
  StartSubscriptionRequest request;  ///< as it was understood
  std::string call_id = {};          ///< X-Request-Id
  std::string account = {};          ///< whose access token let it in
};

/// One whole request for tokens. What cannot be read of it is empty.
struct TokenGrant {
  std::string grant_type = {};  ///< as it came
  std::string account = {};     ///< who the tokens are for, where that is known
  std::string client_id = {};   ///< who it says it is from
  /// What it was refused with: `invalid_grant`; empty: tokens were given, whatever became of the response. A script
  /// that does not act refuses it with the OAuth error in its response, or as `scripted`.
  std::string error = {};
};

/// One request as it came, obeyed or not.
struct ReceivedRequest {
  std::string method = {};     ///< `POST`
  std::string path = {};       ///< with the query, where there is one
  http::Headers headers = {};  ///< by name; Authorization too: it is a test's token
  std::string body = {};       ///< its bytes
};

/// By which rules tokens are given. Both take client credentials, refresh tokens and authorization codes.
enum class AuthorizationServer {
  /// Those of RFC 6749. A code or a refresh token that comes again after it was used revokes all that came of its
  /// log-in (RFC 6749 section 4.1.2, RFC 9700 section 4.14.2). A refresh token that is refused is a 400
  /// `invalid_grant`.
  rfc,
  /// Those of Spring Security OAuth's `DefaultTokenServices`. Whoever has an access token that lives is given it again,
  /// with the refresh token that came with it; `expires_in` is what is left, in whole seconds, rounded down. A refresh
  /// ends the access token that its refresh token gave before, and tells the refresh token again, which lives no longer
  /// for it. One that is refused is a 401 `invalid_token` whose text holds it, as in Spring before 2.5.2, and revokes
  /// nothing. (There an unknown one is so with a `JwtTokenStore`; with other stores it is a 400 `invalid_grant`.)
  spring,
};

/// How the server is set up. Fill it with designated initialisers.
struct FakeServerOptions {
  bool tls = false;                                  ///< speak TLS, with a certificate made on the spot
  CertificateOptions certificate = {};               ///< with `tls`: what it says
  std::string access_token = "test-token";           ///< let in from the start, as the account `test`'s
  std::uint16_t port = 0;                            ///< to listen on, the API's; 0: a free one
  std::string client_id = "test-client";             ///< the client that is given tokens, by HTTP Basic or in the form
  std::string client_secret = "test-secret";         ///< empty: a public client
  std::string refresh_token = "test-refresh-token";  ///< good from the start, for the account `test`
  std::chrono::milliseconds access_token_lifetime = std::chrono::hours{12};  ///< see the function
  /// Each refresh gives a new one, and the old one is spent; none: as that kind of server does, `rfc` so, `spring` not.
  std::optional<bool> rotate_refresh_tokens = {};
  AuthorizationServer authorization_server = AuthorizationServer::rfc;       ///< by whose rules
  std::chrono::milliseconds refresh_token_lifetime = std::chrono::days{30};  ///< see the function
  /// Where a customer who has logged in may be sent back to: scheme, host, port, path and query exactly so.
  std::vector<std::string> redirect_uris = {"http://127.0.0.1:8484/callback"};
};

/// The Connect API's endpoints (docs/endpoints.md) on a free port of 127.0.0.1, for tests without the live service:
/// documented rules, 401 without the right bearer, 400 with `exceptionType`/`errorMessage`, 404 elsewhere. It remembers
/// what was started, lists that to the customer whose token it was, and counts every body it received; `GET
/// /__connectid/log` tells both as JSON, for tests in other languages. Thread-safe; starts when made, ends when
/// destroyed.
///
/// It is the authorization server, too, of the kind that `AuthorizationServer` names: `POST /oauth/token` gives tokens,
/// and `GET /oauth/authorize` an authorization code, at once and without a page: a 302 to the redirect URI. Where the
/// client or the redirect URI is not known it is a 400 page instead. A code is good once, for 60 s, with the redirect
/// URI that it was asked for with, and with the `code_verifier` of an S256 `code_challenge` (RFC 7636).
///
/// The authorization server has a port and a gate of its own, so that its faults do not meet the API's requests; it
/// also responds at the API's, by the API's scripts. A form of more than 8 KiB is a 413, and remembered nowhere. Every
/// secret that is made has the word `canary` in it, for tests that look for leaks.
class FakeServer {
 public:
  /// Throws std::runtime_error where no port can be had or no certificate made.
  explicit FakeServer(FakeServerOptions options);
  /// With the default options: plain http on a free port.
  FakeServer() : FakeServer(FakeServerOptions()) {}
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  ~FakeServer();

  [[nodiscard]] std::string url() const;                     ///< `http://127.0.0.1:PORT` or `https://…`
  [[nodiscard]] std::string login_url() const;               ///< likewise, of the authorization server
  [[nodiscard]] Environment environment() const;             ///< custom(url(), login_url())
  [[nodiscard]] const std::string& ca_pem() const noexcept;  ///< for `CurlOptions::ca_pem`; empty without TLS

  /// For the next request that has none yet; queued, first come first served. One exchange takes one script.
  void next(Script script);
  /// For every request that finds the queue empty; replaces what was set before.
  void always(Script script);

  [[nodiscard]] std::vector<StartedSubscription> started() const;  ///< so far, in order
  /// So far, in order: whole requests only, and none for tokens.
  [[nodiscard]] std::vector<ReceivedRequest> received() const;
  /// How many request bodies came whole. (Half ones: `gate().exchanges()` counts every request begun.)
  [[nodiscard]] std::size_t bodies_received() const;
  /// Waits until so many bodies came whole; false when the time is up first.
  [[nodiscard]] bool wait_for_bodies(std::size_t count, std::chrono::milliseconds timeout) const;

  /// Everything goes through it: stop listening, stray responses, closed idle connections.
  [[nodiscard]] FaultGate& gate() noexcept;

  /// As if this customer had just logged in: a refresh token of theirs, which is good now. Spring gives one who has an
  /// access token that lives the refresh token that came with it.
  [[nodiscard]] std::string log_in(const std::string& account);
  /// Who logs in at the next `/oauth/authorize`, in place of `test`; queued, first come first served.
  void next_login(std::string account);
  /// No refresh token of this customer's is good any more.
  void revoke(const std::string& account);
  /// No access token that was given so far lets anybody in any more, `FakeServerOptions::access_token` included.
  void expire_access_tokens();
  /// Of access tokens that are given from now on; what is less than 1 ms or more than a century is taken for that.
  /// `expires_in` has it in whole seconds: `rfc` rounds up, `spring` down.
  void access_token_lifetime(std::chrono::milliseconds lifetime);
  /// Likewise, of refresh tokens.
  void refresh_token_lifetime(std::chrono::milliseconds lifetime);

  /// For the next request at the authorization server's port that has none yet, as `next`.
  void next_token_request(Script script);
  /// As `always`, at the authorization server's port.
  void always_token_request(Script script);
  /// Everything to the authorization server's port goes through it.
  [[nodiscard]] FaultGate& token_gate() noexcept;

  [[nodiscard]] std::vector<TokenGrant> token_requests() const;  ///< so far, in order: whole requests only
  [[nodiscard]] std::size_t reused_refresh_tokens() const;       ///< how often one came that had been replaced

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace connectid::inline v0::testing
