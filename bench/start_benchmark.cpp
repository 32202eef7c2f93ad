// start_benchmark [ROUNDS]: one blocking start, as this library makes it and as bare libcurl would, plain and over TLS:
// what it costs the thread that calls (CLOCK_THREAD_CPUTIME_ID, system calls included, the server's threads not), and
// how long it takes. The ways take turns of 5 ms; in each round each is compared with bare libcurl's turn of that
// round, for the machine may be busier at one time than at another.
//
// A line for each wire and way, medians of all turns: CPU us (the mean call of a turn), its ratio to bare, and the
// quartiles of that ratio; calls a second, ratio and quartiles; allocations.
//
// Calls a second are counted from the median call of a turn: where others use the processor too, a mean says how often
// they took it. `taskset -c 0 start_benchmark` has both sides on one processor.

#include <sched.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <ctime>
#include <exception>
#include <functional>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "starts.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

/// This thread, and those that it will make, stay on one processor; where there is but one, they may be anywhere.
/// Without it the two sides of a call meet on one processor or on two as the scheduler likes.
void stay_on(std::size_t wanted) {
  static const cpu_set_t allowed = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    return set;
  }();
  std::size_t seen = 0;
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || seen++ != wanted) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

/// Its threads are on another processor than the caller.
bench::LoopbackServer server_elsewhere(bench::Wire wire) {
  stay_on(1);
  return bench::LoopbackServer(bench::started_response, wire);
}

Microseconds cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

/// Of one call in a turn.
struct Cost {
  double cpu;          // us, in the mean
  double wall;         // us, in the median
  double allocations;  // in the mean
};

/// The value that so much of all are less than.
double quantile(std::vector<double> values, double part) {
  const auto at = values.begin() + std::lround(part * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, at);
  return *at;
}

Cost measure(const bench::Start& start, std::chrono::milliseconds time) {
  if (!start()) throw std::runtime_error("not started");  // the connection may have been idle for too long
  std::vector<double> walls;
  walls.reserve(static_cast<std::size_t>(Microseconds(time).count()));  // no call is as short as that
  const std::size_t allocations = bench::allocations();
  const Microseconds cpu = cpu_time();
  const auto end = Clock::now() + time;
  for (auto now = Clock::now(); now < end;) {
    if (!start()) throw std::runtime_error("not started");
    const auto began = std::exchange(now, Clock::now());
    walls.push_back(Microseconds(now - began).count());
  }
  const double used = (cpu_time() - cpu).count();
  const auto asked = static_cast<double>(bench::allocations() - allocations);
  const auto calls = static_cast<double>(walls.size());
  return {.cpu = used / calls, .wall = quantile(std::move(walls), 0.5), .allocations = asked / calls};
}

template <class Of>
std::vector<double> of_each(const std::vector<Cost>& samples, Of of) {
  std::vector<double> values;
  std::ranges::transform(samples, std::back_inserter(values), of);
  return values;
}

void print_ratio(const std::vector<double>& over, const std::vector<double>& under) {
  std::vector<double> ratios;
  std::ranges::transform(over, under, std::back_inserter(ratios), std::divides());
  for (const double part : {0.5, 0.25, 0.75}) std::cout << ' ' << quantile(ratios, part);
}

void compare(bench::Wire wire, int rounds, std::chrono::milliseconds time) {
  const bench::LoopbackServer server = server_elsewhere(wire);
  stay_on(0);
  std::array<bench::Start, bench::ways.size()> starts;
  std::ranges::transform(bench::ways, starts.begin(), [&](const char* way) { return bench::make_start(way, server); });
  for (const bench::Start& start : starts) measure(start, time);  // connects, and warms up
  std::array<std::vector<Cost>, starts.size()> samples;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const std::size_t way = (i + static_cast<std::size_t>(round)) % starts.size();  // each comes first in its turn
      samples[way].push_back(measure(starts[way], time));
    }
  }
  const auto cpu = [](const Cost& cost) { return cost.cpu; };
  const auto wall = [](const Cost& cost) { return cost.wall; };
  const auto allocations = [](const Cost& cost) { return cost.allocations; };
  for (std::size_t way = 0; way < starts.size(); ++way) {
    std::cout << (wire == bench::Wire::tls ? "tls " : "plain ") << bench::ways[way] << ' '
              << quantile(of_each(samples[way], cpu), 0.5);
    print_ratio(of_each(samples[way], cpu), of_each(samples[0], cpu));
    std::cout << ' ' << 1e6 / quantile(of_each(samples[way], wall), 0.5);
    print_ratio(of_each(samples[0], wall), of_each(samples[way], wall));
    std::cout << ' ' << quantile(of_each(samples[way], allocations), 0.5) << '\n';
  }
}

}  // namespace

int main(int count, char** arguments) try {
  const int rounds = count > 1 ? std::max(std::stoi(arguments[1]), 1) : 301;
  constexpr auto time = std::chrono::milliseconds{5};
  std::cout << std::fixed << std::setprecision(3);
  for (const bench::Wire wire : {bench::Wire::plain, bench::Wire::tls}) compare(wire, rounds, time);
  return 0;
} catch (const std::exception& thrown) {
  std::cerr << "start_benchmark: " << thrown.what() << '\n';
  return 1;
}
