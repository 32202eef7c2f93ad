// start_calls WAY COUNT: makes so many starts. For tools that count or sample what a process does (valgrind, perf): the
// difference between two counts is free of what a process costs by itself.

#include <cstdlib>
#include <exception>
#include <iostream>

#include "starts.hpp"

int main(int count, char** arguments) try {
  if (count != 3) {
    std::cerr << "usage: start_calls WAY COUNT\n";
    return 2;
  }
  const bench::LoopbackServer server(bench::started_answer);
  const bench::Start start = bench::make_start(arguments[1], server);
  for (int left = std::stoi(arguments[2]); left > 0; --left) {
    if (!start()) throw std::runtime_error("not started");
  }
  return 0;
} catch (const std::exception& thrown) {
  std::cerr << "start_calls: " << thrown.what() << '\n';
  return 1;
}
