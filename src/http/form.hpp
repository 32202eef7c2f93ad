#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <connectid/secret.hpp>

namespace connectid::inline v0::detail {

/// A value as it stands in a form: all but letters, digits and `-._~` percent-encoded (RFC 6749 appendix B).
[[nodiscard]] std::string form_encoded(std::string_view text);

/// A body of type application/x-www-form-urlencoded.
[[nodiscard]] std::string form(const std::vector<std::pair<std::string_view, std::string_view>>& parameters);

/// The value of an Authorization header: `Basic …`, id and secret form-encoded first (RFC 6749 section 2.3.1).
[[nodiscard]] Secret basic_authorization(std::string_view client_id, const Secret& client_secret);

}  // namespace connectid::inline v0::detail
