#include "http/url.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include <memory>

#include "http/headers.hpp"

namespace connectid::inline v0::detail {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
using ParsedUrl = std::unique_ptr<CURLU, FreeUrl>;

std::string part(const ParsedUrl& url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  const CURLUcode code = curl_url_get(url.get(), which, &text, flags);
  // Where 7.88 cannot write a name in punycode, it fails and gives the name all the same.
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  return code == CURLUE_OK ? text : "";
}

bool is_loopback(const std::string& host) {
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  if (host.size() > 2 && host.front() == '[' &&
      inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6) == 1) {
    return IN6_IS_ADDR_LOOPBACK(&v6);
  }
  return host == "localhost";
}

}  // namespace

Url parse_url(const std::string& text, UrlOf what) {
  const auto refuse = [](std::string why) { return Url{.text = {}, .error = std::move(why)}; };
  const ParsedUrl url(curl_url());
  if (!url) return refuse("cannot be read: out of memory");
  if (text.empty()) return refuse("is empty");
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER);
  if (code == CURLUE_USER_NOT_ALLOWED) return refuse("must hold no user name or password");
  if (code != CURLUE_OK) return refuse("is not an absolute https URL such as https://api.example/capi");
  if (what == UrlOf::base && text.find_first_of("?#") != std::string::npos) {
    return refuse("must hold no query and no fragment");
  }
  if (text.find('#') != std::string::npos) return refuse("must hold no fragment");

  const std::string scheme = part(url, CURLUPART_SCHEME);
  Url result{.text = part(url, CURLUPART_URL),
             .error = {},
             .loopback = is_loopback(part(url, CURLUPART_HOST)),
             .plain = scheme == "http"};
  if (scheme != "https" && scheme != "http") return refuse("must begin with https://");
  if (!part(url, CURLUPART_ZONEID).empty()) return refuse("must hold no IPv6 zone, which no Host field can have");
  if (result.plain && !result.loopback) {
    return refuse("must be https: plain http is allowed only to localhost, 127.0.0.0/8 and [::1]");
  }
  while (result.text.ends_with('/')) result.text.pop_back();

  result.authority = part(url, CURLUPART_HOST, CURLU_PUNYCODE);
  if (!visible_ascii(result.authority)) return refuse("has a host name that this libcurl cannot write in ASCII");
  const std::string port = part(url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
  if (!port.empty()) result.authority.append(":").append(port);
  result.origin.append(scheme).append("://").append(result.authority);
  result.path = part(url, CURLUPART_PATH);
  if (const std::string query = part(url, CURLUPART_QUERY); !query.empty()) result.path.append("?").append(query);
  if (!visible_ascii(result.path)) return refuse("has a path with a character that must be percent-encoded");
  return result;
}

bool proxy_fits(const std::string& text) {
  if (text.empty()) return true;
  const ParsedUrl url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) return false;
  const std::string scheme = part(url, CURLUPART_SCHEME);
  return scheme == "http" || scheme == "https" || scheme == "socks5" || scheme == "socks5h";
}

}  // namespace connectid::inline v0::detail
