#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <connectid/http/transport.hpp>

namespace connectid::inline v0::testing::detail {

using Parameters = std::multimap<std::string, std::string>;

/// `+` is a space, and `%` begins a byte in hexadecimal; none where it does not.
[[nodiscard]] std::optional<std::string> form_decoded(std::string_view text);

/// As it stands in a form or a query: all but letters, digits and `-._~` percent-encoded.
[[nodiscard]] std::string form_encoded(std::string_view text);

/// A form, or the query of a URL.
[[nodiscard]] std::optional<Parameters> read_form(std::string_view text);

/// Empty where there is none: one without a value counts as left out (RFC 6749 sections 3.1 and 3.2).
[[nodiscard]] std::string value_of(const Parameters& parameters, const std::string& name);

[[nodiscard]] bool has_one_twice(const Parameters& parameters);

/// The text before the first `mark`, and what is behind it.
[[nodiscard]] std::pair<std::string_view, std::string_view> split(std::string_view text, char mark);

/// The value of a header; empty where there is none.
[[nodiscard]] std::string field_of(const http::Headers& headers, std::string_view name);

}  // namespace connectid::inline v0::testing::detail
