#!/usr/bin/env bash
# bench.sh [REPETITIONS]: what one start costs the thread that calls, beside bare libcurl, plain and over TLS, and what a
# token costs that renews itself: see docs/benchmarks.md. Says whether the targets are met; measuring is all that it can
# fail in. (Medians of 51 repetitions, each six turns of 5 ms, side by side.)
# bench.sh include [RUNS]: what <connectid/connectid.hpp> costs a compiler beside the standard headers that any such
# interface takes. The target is 1.5 times at most. (User CPU time, the two interleaved, medians of 11 runs.)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

instructions() {  # WIRE WAY: of one call, in the calling thread
  valgrind --tool=callgrind --toggle-collect=make_calls --callgrind-out-file=/dev/null \
    build/release/bench/start_calls "$1" "$2" 500 2>&1 |
    awk '/Collected/ { printf "%d\n", $NF / 500; found = 1 } END { exit !found }'
}

measure_calls() {  # REPETITIONS
  install_dependencies bench
  echo "build the benchmark"
  quietly cmake --preset release -DCONNECTID_BUILD_BENCHMARKS=ON
  quietly cmake --build --preset release --target start_benchmark start_calls token_benchmark --parallel "$jobs"

  echo "measure: $1 repetitions of each"
  local cpus way wire place
  cpus=$(taskset -cp $$ | sed 's/.*: //')
  build/release/bench/start_benchmark $((6 * $1)) >"$work/apart"
  taskset -c "${cpus%%[-,]*}" build/release/bench/start_benchmark $((6 * $1)) >"$work/together"
  while read -r wire way _; do echo "$wire $way $(instructions "$wire" "$way")"; done <"$work/apart" >"$work/instructions"

  # WIRE WAY, CPU us, ratio, its quartiles, calls a second, ratio, its quartiles, allocations
  for place in apart together; do
    awk -v title="server $place" 'NR == 1 { printf "%-16s %6s  %-18s %7s  %s\n", title, "CPU us", "ratio", "calls/s", "ratio" }
      { printf "%-5s %-10s %6.1f  %.2f (%.2f - %.2f) %7d  %.2f (%.2f - %.2f)\n", $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 }' \
      "$work/$place"
  done
  paste -d ' ' "$work/instructions" "$work/apart" >"$work/counts"
  awk 'NR == 1 { printf "%-16s %12s  %s %12s\n", "", "instructions", "ratio", "allocations" }
    $2 == "bare" { code = $3; heap = $NF }
    { printf "%-5s %-10s %12d  %5.2f %6d (%+d)\n", $1, $2, $3, $3 / code, $NF, $NF - heap }' "$work/counts"
  awk 'function result(met) { return met ? "met" : "MISSED" }
    $2 == "connectid" {
      printf "%s: CPU %.3f times bare libcurl (target: 0.95 at most): %s\n", $1, $4, result($4 <= 0.95)
      printf "%s: rate %.3f times bare libcurl (target: 1.05 at least): %s\n", $1, $8, result($8 >= 1.05)
    }' "$work/apart"

  build/release/bench/token_benchmark "$1"
}

user_ms() {
  local TIMEFORMAT=%U seconds
  seconds=$({ time "${CXX:-g++}" -std=c++20 -O0 -Iinclude -c "$1" -o "$work/out.o"; } 2>&1)
  echo $((10#${seconds/./}))  # 0.650 is 650 ms
}
median() { sort -n "$1" | sed -n "$((($(wc -l <"$1") + 1) / 2))p"; }

measure_include() {  # RUNS
  local run name standard connectid
  install_dependencies build
  printf '#include <%s>\n' string vector chrono variant functional >"$work/standard.cpp"
  printf '#include <connectid/connectid.hpp>\n' >"$work/connectid.cpp"

  user_ms "$work/standard.cpp" >/dev/null  # the first one reads the disk
  for ((run = 0; run < $1; run++)); do
    for name in standard connectid; do user_ms "$work/$name.cpp" >>"$work/$name.ms"; done
  done

  standard=$(median "$work/standard.ms") connectid=$(median "$work/connectid.ms")
  echo "standard headers: $standard ms"
  echo "connectid/connectid.hpp: $connectid ms"
  echo "ratio: $(awk "BEGIN { printf \"%.2f\", $connectid / $standard }") (target: 1.50 at most)"
}

if [[ ${1:-} == include ]]; then
  measure_include "${2:-11}"
else
  measure_calls "${1:-51}"
fi
