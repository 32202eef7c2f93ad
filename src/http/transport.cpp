#include <connectid/http/transport.hpp>

#include <algorithm>

#include "base/text.hpp"

namespace connectid::inline v0::http {

const std::string* find(const Headers& headers, std::string_view name) noexcept {
  const auto found = std::ranges::find_if(
      headers, [&](const Header& header) { return detail::equal_ignoring_case(header.name, name); });
  return found == headers.end() ? nullptr : &found->value;
}

void Transport::submit(const Request& request, const Limits& limits, Completion done) {
  done(perform(request, limits));
}

}  // namespace connectid::inline v0::http
