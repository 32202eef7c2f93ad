#include <connectid/auth/token_source.hpp>

namespace connectid::inline v0 {

struct TokenSource::Functions {
  Function get;
  Cached cached;
};

TokenSource::TokenSource(Function get, Cached cached) {
  if (get) functions_ = std::make_shared<const Functions>(Functions{std::move(get), std::move(cached)});
}

Result<AccessToken> TokenSource::operator()(const TokenRequest& request) const { return functions_->get(request); }

std::optional<AccessToken> TokenSource::cached() const {
  return functions_ && functions_->cached ? functions_->cached() : std::nullopt;
}

Error token_error(std::string message, TokenError detail) {
  return {Outcome::not_sent, std::move(detail), std::move(message)};
}

TokenSource static_token(Secret access_token) {
  const auto token = std::make_shared<const AccessToken>(AccessToken{std::move(access_token)});
  return {[token](const TokenRequest&) { return Result<AccessToken>(*token); },
          [token] { return std::optional(*token); }};
}

}  // namespace connectid::inline v0
