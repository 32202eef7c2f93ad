#include <connectid/environment.hpp>

namespace connectid::inline v0 {

Environment Environment::production() { return {"https://api.mediaconnect.no/capi", "https://connectid.no/user"}; }
Environment Environment::sweden() { return {"https://api.mediaconnect.no/capi", "https://connectid.se/user"}; }
Environment Environment::test() {
  return {"https://api-test.mediaconnect.no/capi", "https://api-test.mediaconnect.no/login"};
}
Environment Environment::custom(std::string api_url, std::string login_url) {
  return {std::move(api_url), std::move(login_url)};
}

}  // namespace connectid::inline v0
