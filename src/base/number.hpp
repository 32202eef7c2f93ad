#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace connectid::inline v0::detail {

/// The whole text as a number that fits, as std::from_chars reads it (`base`: of an integer); no value else.
template <class Number, class... Base>
[[nodiscard]] std::optional<Number> number_in(std::string_view text, Base... base) noexcept {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number, base...);
  return error == std::errc() && at == end ? std::optional(number) : std::nullopt;
}

}  // namespace connectid::inline v0::detail
