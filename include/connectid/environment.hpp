#pragma once

#include <string>
#include <utility>

#include <connectid/export.hpp>

namespace connectid::inline v0 {

/// Which service is meant: the base URLs of the API (before `/v1/…`) and of the authorization server. Where the URLs
/// come from, and how surely they are known: docs/api-facts.md.
///
/// A URL is https, or http to `localhost`, 127.0.0.0/8 or [::1]; user, password, query and fragment are refused. One
/// that cannot be used is the `configuration_error` of every call.
class CONNECTID_API Environment {
 public:
  /// https://api.mediaconnect.no/capi with the authorization server https://connectid.no/user
  [[nodiscard]] static Environment production();
  /// The production API with the Swedish authorization server https://connectid.se/user
  [[nodiscard]] static Environment sweden();
  /// https://api-test.mediaconnect.no/capi with the authorization server https://api-test.mediaconnect.no/login
  [[nodiscard]] static Environment test();
  /// `login_url` may be left out where no token is fetched.
  [[nodiscard]] static Environment custom(std::string api_url, std::string login_url = {});

  /// The base of the API's URLs, as it was given.
  [[nodiscard]] const std::string& api_url() const noexcept { return api_url_; }
  /// The base of the authorization server's URLs, as it was given; empty: none.
  [[nodiscard]] const std::string& login_url() const noexcept { return login_url_; }

 private:
  Environment(std::string api_url, std::string login_url)
      : api_url_(std::move(api_url)), login_url_(std::move(login_url)) {}
  std::string api_url_;
  std::string login_url_;
};

}  // namespace connectid::inline v0
