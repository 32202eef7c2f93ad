#pragma once

#include <cstdint>
#include <span>

namespace connectid::inline v0::detail {

void fill_with_random_bits(std::span<std::uint32_t> words);

/// From 0 up to but not 1.
[[nodiscard]] double random_fraction();

}  // namespace connectid::inline v0::detail
