#include "call_id.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

#include "random.hpp"

namespace connectid::inline v0::detail {

std::string make_call_id(Timestamp now) {
  std::array<std::uint32_t, 3> random{};
  fill_with_random_bits(random);
  const auto milliseconds = static_cast<std::uint64_t>(now.time_since_epoch().count()) & 0xFFFF'FFFF'FFFFU;
  const auto [a, b, c] = random;
  std::array<char, 37> text{};
  std::snprintf(text.data(), text.size(), "%08x-%04x-7%03x-%04x-%04x%08x", static_cast<unsigned>(milliseconds >> 16),
                static_cast<unsigned>(milliseconds & 0xFFFF), a & 0xFFF, 0x8000 | (a >> 12 & 0x3FFF), b & 0xFFFF, c);
  return text.data();
}

}  // namespace connectid::inline v0::detail
