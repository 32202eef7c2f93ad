#pragma once

#include <connectid/http/transport.hpp>
#include <connectid/secret.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "http/url.hpp"

namespace connectid::inline v0::detail {

/// A request as it goes over the wire: one buffer, wiped at its end, because the bearer stands in it.
class WrittenRequest {
 public:
  WrittenRequest(Secret&& bytes, std::size_t head) noexcept : bytes_(std::move(bytes)), head_(head) {}

  [[nodiscard]] std::string_view bytes() const noexcept { return bytes_.reveal(); }
  /// How much of it has left: the connection took `taken` bytes, and of no more than `exposed` may any have left.
  [[nodiscard]] http::Left left(std::size_t taken, std::size_t exposed) const noexcept;

 private:
  Secret bytes_;
  std::size_t head_;  ///< how many of them stand before the body
};

/// Why this request cannot be written as HTTP/1.1; empty: it can. A method or header that is no token, a control
/// character, or a header that is HTTP's or this library's own: Host, the body's framing, hop-by-hop fields.
[[nodiscard]] std::string error_in(const http::Request& request);

/// RFC 9112 section 3 and 6: origin form, Host first, and a Content-Length wherever the method gives content a meaning.
/// For a request without an error.
[[nodiscard]] WrittenRequest write_request(const http::Request& request, const Url& url);

}  // namespace connectid::inline v0::detail
