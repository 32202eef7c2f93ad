#include "call/call_id.hpp"

#include <array>
#include <cstdint>
#include <string_view>

#include "base/random.hpp"

namespace connectid::inline v0::detail {

std::string make_call_id(Timestamp now) {
  std::array<std::uint32_t, 3> random{};
  fill_with_random_bits(random);
  const auto milliseconds = static_cast<std::uint64_t>(now.time_since_epoch().count()) & 0xFFFF'FFFF'FFFFU;
  const auto [a, b, c] = random;
  // RFC 9562 section 5.7: 48 bits of time, the version (7), 12 random bits, the variant (10), 62 random bits.
  const std::array<std::uint64_t, 2> halves{milliseconds << 16 | 0x7000 | (a & 0xFFF),
                                            (0x8000ULL | (a >> 12 & 0x3FFF)) << 48 | (b & 0xFFFFULL) << 32 | c};
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text(36, '-');
  std::size_t at = 0;
  for (const std::uint64_t half : halves) {
    for (int shift = 60; shift >= 0; shift -= 4) {
      if (at == 8 || at == 13 || at == 18 || at == 23) ++at;
      text[at++] = digits[half >> shift & 0xF];
    }
  }
  return text;
}

}  // namespace connectid::inline v0::detail
