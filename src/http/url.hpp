#pragma once

#include <string>

namespace connectid::inline v0::detail {

/// An absolute http or https URL in its normal form, or why it cannot be used.
struct Url {
  std::string text = {};   ///< without a slash at its end
  std::string error = {};  ///< empty: it can be used. Never repeats the URL, which may hold a password.
  bool loopback = false;
  bool plain = false;          ///< http, not https
  std::string origin = {};     ///< `https://api.example:8443`: where a connection leads
  std::string authority = {};  ///< `api.example:8443`, without a port that is the scheme's own: the Host field
  std::string path = {};       ///< the target of a request: `/` and more, the query included
};

/// Of a request, or the base that requests' URLs begin with.
enum class UrlOf { request, base };

/// https, or http to `localhost`, 127.0.0.0/8 or [::1] (a bearer token must not cross a network in the clear); no user,
/// password or fragment, and a base has no query.
[[nodiscard]] Url parse_url(const std::string& text, UrlOf what = UrlOf::base);

/// Whether libcurl can read this as a proxy's URL (what it cannot read it quotes, password and all). Empty: none, which
/// fits.
[[nodiscard]] bool proxy_fits(const std::string& text);

}  // namespace connectid::inline v0::detail
