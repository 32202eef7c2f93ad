#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <connectid/testing/fake_server.hpp>

#include "testing/routes/grant_request.hpp"

namespace connectid::inline v0::testing::detail {

/// The authorization server: which tokens it has given to whom, and by which rules it gives more (RFC 6749
/// sections 4.4, 5 and 6; a refresh token that comes again after it was replaced revokes all that came of it: RFC 9700
/// section 4.14.2). Thread-safe.
class TokenEndpoint {
 public:
  explicit TokenEndpoint(const FakeServerOptions& options);

  /// How it responds to a request, whatever that is.
  [[nodiscard]] Script::HttpResponse response(const ReceivedRequest& request);
  /// A request that got this response from a script, and nothing from here: it is remembered, no more.
  void responded_otherwise(const ReceivedRequest& request, const Script::HttpResponse& response);
  /// Whose this access token is, if it is good now.
  [[nodiscard]] std::optional<std::string> account_of(const std::string& access_token) const;

  [[nodiscard]] std::string log_in(const std::string& account);
  void revoke(const std::string& account);
  void expire_access_tokens();
  void access_token_lifetime(std::chrono::milliseconds lifetime);

  [[nodiscard]] std::vector<TokenGrant> requests() const;
  [[nodiscard]] std::size_t reused() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Access {
    std::string account;
    Clock::time_point ends;
  };
  struct Refresh {
    std::string account;
    std::size_t family = 0;  ///< of the authorization server that it came of
    bool spent = false;
    bool revoked = false;
  };
  struct Tokens {
    std::string access_token;
    std::chrono::seconds expires_in;
    std::string refresh_token;  ///< empty: none
  };
  using Decision = std::variant<Tokens, OAuthError>;

  [[nodiscard]] static Script::HttpResponse to_respond(const Tokens& tokens);
  [[nodiscard]] static Script::HttpResponse to_respond(const OAuthError& error);

  // All below: with the mutex held.
  [[nodiscard]] Decision decide(const GrantRequest& asked);
  [[nodiscard]] Decision refresh(const std::string& refresh_token);
  [[nodiscard]] Tokens give(const std::string& account, std::string refresh_token);
  [[nodiscard]] std::string new_refresh_token(const std::string& account, std::size_t family);
  [[nodiscard]] std::string who(const GrantRequest& asked) const;
  void revoke_family(std::size_t family);
  void remember(const GrantRequest& asked, std::string error);

  const std::string client_id_, client_secret_;
  const bool rotates_;
  mutable std::mutex mutex_;
  std::chrono::milliseconds lifetime_;
  std::map<std::string, Access> access_tokens_;
  std::map<std::string, Refresh> refresh_tokens_;
  std::size_t families_ = 0;
  std::vector<TokenGrant> requests_;
  std::size_t reused_ = 0;
};

}  // namespace connectid::inline v0::testing::detail
