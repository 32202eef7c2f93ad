// One blocking start, as this library makes it and as bare libcurl would: what it costs the thread that calls. Google
// Benchmark's CPU time is that thread's own (CLOCK_THREAD_CPUTIME_ID); the server's threads are not in it.

#include <benchmark/benchmark.h>

#include <exception>
#include <iostream>

#include "allocations.hpp"
#include "starts.hpp"

namespace {

void measure(benchmark::State& state, const bench::Start& start) {
  if (!start()) state.SkipWithError("not started");  // connects
  const std::size_t before = bench::allocations();
  for ([[maybe_unused]] auto _ : state) {
    if (!start()) {
      state.SkipWithError("not started");
      break;
    }
  }
  state.counters["allocations"] =
      benchmark::Counter(static_cast<double>(bench::allocations() - before), benchmark::Counter::kAvgIterations);
}

}  // namespace

int main(int count, char** arguments) try {
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 2;
  const bench::LoopbackServer server(bench::started_answer);
  for (const char* way : bench::ways) {
    benchmark::RegisterBenchmark(way, [start = bench::make_start(way, server)](benchmark::State& state) {
      measure(state, start);
    })->Unit(benchmark::kMicrosecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
} catch (const std::exception& thrown) {
  std::cerr << "start_benchmark: " << thrown.what() << '\n';
  return 1;
}
