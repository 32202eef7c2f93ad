#pragma once

#include <array>
#include <string>
#include <string_view>

namespace connectid::inline v0::detail {

using Sha256 = std::array<unsigned char, 32>;

[[nodiscard]] Sha256 sha256(std::string_view text);

/// In lower-case hexadecimal.
[[nodiscard]] std::string to_hex(const Sha256& hash);

}  // namespace connectid::inline v0::detail
