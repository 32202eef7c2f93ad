#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include <connectid/testing/fake_server.hpp>

#include "testing/routes/grant_request.hpp"
#include "testing/routes/rules.hpp"

namespace connectid::inline v0::testing::detail {

/// The authorization server: which codes and tokens it has given to whom, and by which rules it gives more (RFC 6749
/// sections 4.1, 4.4, 5 and 6, and what `Rules` says of this kind). Thread-safe.
class TokenEndpoint {
 public:
  using Clock = std::chrono::steady_clock;
  explicit TokenEndpoint(const FakeServerOptions& options, std::function<Clock::time_point()> now = Clock::now);

  /// Whether a request goes here, by its path.
  [[nodiscard]] static bool serves(const ReceivedRequest& request);

  /// How it responds to a request, whatever that is.
  [[nodiscard]] Script::HttpResponse response(const ReceivedRequest& request);
  /// A request that got this response from a script, and nothing from here: it is remembered, no more.
  void responded_otherwise(const ReceivedRequest& request, const Script::HttpResponse& response);
  /// Whose this access token is, if it is good now.
  [[nodiscard]] std::optional<std::string> account_of(const std::string& access_token) const;

  [[nodiscard]] std::string log_in(const std::string& account);
  void next_login(std::string account);
  void revoke(const std::string& account);
  void expire_access_tokens();
  void access_token_lifetime(std::chrono::milliseconds lifetime);
  void refresh_token_lifetime(std::chrono::milliseconds lifetime);

  [[nodiscard]] std::vector<TokenGrant> requests() const;
  [[nodiscard]] std::size_t reused() const;

 private:
  struct Code {
    std::string account;
    std::size_t family = 0;  ///< the log-in: all that comes of it has the same
    std::string redirect_uri;
    std::string code_challenge;
    Clock::time_point ends;
    bool used = false;
  };
  struct Access {
    std::string account;
    std::size_t family = 0;
    Clock::time_point ends;
    std::string refresh_token = {};  ///< that it came with; empty: it is the client's own
  };
  struct Refresh {
    std::string account;
    std::size_t family = 0;
    Clock::time_point ends;
    std::string access_token = {};  ///< the last that it gave
    bool spent = false;
    bool revoked = false;
  };
  struct Tokens {
    std::string access_token;
    std::chrono::seconds expires_in;
    std::string refresh_token;  ///< empty: none
  };
  using Decision = std::variant<Tokens, OAuthError>;
  /// Who tokens are given to: a customer, or a client that may have the same name.
  struct Holder {
    std::string account;
    bool is_client = false;
    bool operator<(const Holder& other) const {
      return std::tie(account, is_client) < std::tie(other.account, other.is_client);
    }
  };

  [[nodiscard]] static Script::HttpResponse to_respond(const Tokens& tokens);
  [[nodiscard]] static Script::HttpResponse to_respond(const OAuthError& error);
  [[nodiscard]] Script::HttpResponse authorize(const ReceivedRequest& request);

  // All below: with the mutex held. `now` is the same for all of one request.
  [[nodiscard]] Decision decide(const GrantRequest& asked, Clock::time_point now);
  [[nodiscard]] Decision redeem(const GrantRequest& asked, Clock::time_point now);
  [[nodiscard]] Decision refresh(const std::string& refresh_token, Clock::time_point now);
  [[nodiscard]] Tokens grant(const Holder& holder, std::size_t family, Clock::time_point now);
  [[nodiscard]] std::string new_access_token(const Holder& holder, std::size_t family, const std::string& refresh_token,
                                             Clock::time_point now);
  [[nodiscard]] std::string new_refresh_token(const std::string& account, std::size_t family, Clock::time_point now);
  [[nodiscard]] Tokens told(const std::string& access_token, Clock::time_point now) const;
  [[nodiscard]] std::string next_account();
  [[nodiscard]] std::string who(const GrantRequest& asked) const;
  void revoke_family(std::size_t family);
  void remember(const GrantRequest& asked, std::string error);

  const std::string client_id_, client_secret_;
  const std::vector<std::string> redirect_uris_;
  const Rules rules_;
  const std::function<Clock::time_point()> now_;
  mutable std::mutex mutex_;
  std::chrono::milliseconds access_lifetime_, refresh_lifetime_;
  std::map<std::string, Code> codes_;
  std::map<std::string, Access> access_tokens_;
  std::map<std::string, Refresh> refresh_tokens_;
  std::map<Holder, std::string> last_access_token_;
  std::size_t families_ = 0;
  std::deque<std::string> logins_;
  std::vector<TokenGrant> requests_;
  std::size_t reused_ = 0;
};

}  // namespace connectid::inline v0::testing::detail
