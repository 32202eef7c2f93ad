#include "base/random.hpp"

#include <unistd.h>

#include <random>

namespace connectid::inline v0::detail {

void fill_with_random_bits(std::span<std::uint32_t> words) {
  // A random_device asks the processor what it can do each time it is made, and a virtual machine is slow to respond.
  if (getentropy(words.data(), words.size_bytes()) == 0) return;
  std::random_device other_source;
  for (std::uint32_t& word : words) word = other_source();
}

double random_fraction() {
  std::uint32_t bits = 0;
  fill_with_random_bits({&bits, 1});
  return bits / 4294967296.0;
}

}  // namespace connectid::inline v0::detail
