// The dice of the tests that kill processes at chance moments.
#pragma once

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

namespace connectid {

/// CONNECTID_SEED, or another one each time. It is printed, for whoever wants the same dice again; what they meet is
/// chance all the same.
inline unsigned seed() {
  const char* const given = std::getenv("CONNECTID_SEED");
  const unsigned chosen = given ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
  std::cout << "the same dice again: CONNECTID_SEED=" << chosen << std::endl;
  return chosen;
}

}  // namespace connectid
