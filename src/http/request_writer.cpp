#include "http/request_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "http/headers.hpp"

namespace connectid::inline v0::detail {
namespace {

/// RFC 9110 section 8.6: a request of these says how long its content is even where it has none. Without, some servers
/// wait for it.
bool expects_content(std::string_view method) { return method == "POST" || method == "PUT" || method == "PATCH"; }

/// The lines of a head, appended to a text or, beforehand, counted: a text that grew would leave copies of the bearer.
template <class Put>
void put_head(const http::Request& request, const Url& url, const Put& put) {
  const auto line = [&](std::string_view name, std::string_view value) {
    put(name), put(": "), put(value), put("\r\n");
  };
  put(request.method), put(" "), put(url.path), put(" HTTP/1.1\r\n");
  line("Host", url.authority);
  for (const http::Header& header : request.headers) line(header.name, header.value);
  if (!request.authorization.empty()) line("Authorization", request.authorization.reveal());
  line("Accept-Encoding", "identity");
  if (!request.body.empty() || expects_content(request.method)) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), request.body.size()).ptr;
    line("Content-Length", {digits.data(), static_cast<std::size_t>(end - digits.data())});
  }
  put("\r\n");
}

}  // namespace

http::Left WrittenRequest::left(std::size_t taken, std::size_t exposed) const noexcept {
  if (taken >= bytes().size()) return http::Left::whole;
  return exposed > head_ ? http::Left::part : http::Left::head;
}

std::string error_in(const http::Request& request) {
  const bool fits = std::ranges::all_of(request.headers, well_formed) &&
                    is_field_value(request.authorization.reveal()) && is_token(request.method);
  if (!fits) return "the method or a header holds what HTTP does not allow";
  const auto own = std::ranges::find_if(request.headers, is_of_the_connection, &http::Header::name);
  if (own != request.headers.end()) return "the header " + own->name + " is the transport's own and cannot be given";
  if (request.method == "HEAD" && !request.body.empty()) return "HEAD takes no body";
  if (request.method == "CONNECT") return "CONNECT is a proxy's, and no request";
  return {};
}

WrittenRequest write_request(const http::Request& request, const Url& url) {
  std::size_t head = 0;
  put_head(request, url, [&](std::string_view text) { head += text.size(); });
  std::string bytes;
  bytes.reserve(head + request.body.size());
  put_head(request, url, [&](std::string_view text) { bytes += text; });
  bytes += request.body;
  return {Secret(std::move(bytes)), head};
}

}  // namespace connectid::inline v0::detail
