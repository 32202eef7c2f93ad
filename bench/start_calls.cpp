// start_calls plain|tls WAY COUNT: makes so many starts on a connection that stands. For tools that count or sample
// what the calling thread does (perf; valgrind --tool=callgrind --toggle-collect=make_calls).

#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "starts.hpp"

namespace {

void call(const bench::Start& start) {
  if (!start()) throw std::runtime_error("not started");
}

}  // namespace

/// With a name that callgrind can be told.
extern "C" [[gnu::noinline]] void make_calls(const bench::Start& start, int count) {
  for (int left = count; left > 0; --left) call(start);
}

int main(int count, char** arguments) try {
  const std::string_view wire = count == 4 ? arguments[1] : "";
  if (wire != "plain" && wire != "tls") {
    std::cerr << "usage: start_calls plain|tls WAY COUNT\n";
    return 2;
  }
  const bench::LoopbackServer server(bench::started_response, wire == "tls" ? bench::Wire::tls : bench::Wire::plain);
  const bench::Start start = bench::make_start(arguments[2], server);
  for (int i = 0; i < 3; ++i) call(start);  // connects, and has what is kept from call to call
  make_calls(start, std::stoi(arguments[3]));
  return 0;
} catch (const std::exception& thrown) {
  std::cerr << "start_calls: " << thrown.what() << '\n';
  return 1;
}
