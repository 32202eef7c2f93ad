#include <connectid/token_source.hpp>

#include <utility>

namespace connectid::inline v0 {

TokenSource static_token(Secret access_token) {
  return [token = AccessToken{std::move(access_token)}](const TokenRequest&) { return Result<AccessToken>(token); };
}

}  // namespace connectid::inline v0
