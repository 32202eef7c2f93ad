#!/usr/bin/env bash
# bench.sh [REPETITIONS]: what one start costs the thread that calls, beside bare libcurl, plain and over TLS, and what a
# token costs that renews itself: see docs/benchmarks.md. Says whether the targets are met; measuring is all that it can
# fail in. (Medians of 51 repetitions, each six turns of 5 ms, side by side.)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
repetitions=${1:-51}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

scripts/install-dependencies.sh bench
echo "build the benchmark"
{
  cmake --preset release -DCONNECTID_BUILD_BENCHMARKS=ON
  cmake --build --preset release --target start_benchmark start_calls token_benchmark --parallel "$(nproc)"
} >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

instructions() {  # WIRE WAY: of one call, in the calling thread
  valgrind --tool=callgrind --toggle-collect=make_calls --callgrind-out-file=/dev/null \
    build/release/bench/start_calls "$1" "$2" 500 2>&1 |
    awk '/Collected/ { printf "%d\n", $NF / 500; found = 1 } END { exit !found }'
}

echo "measure: $repetitions repetitions of each"
cpus=$(taskset -cp $$ | sed 's/.*: //')
build/release/bench/start_benchmark $((6 * repetitions)) >"$work/apart"
taskset -c "${cpus%%[-,]*}" build/release/bench/start_benchmark $((6 * repetitions)) >"$work/together"
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
awk 'function classification(met) { return met ? "met" : "MISSED" }
  $2 == "connectid" {
    printf "%s: CPU %.3f times bare libcurl (target: 1.05 at most): %s\n", $1, $4, classification($4 <= 1.05)
    printf "%s: rate %.3f times bare libcurl (target: 1.00 at least): %s\n", $1, $8, classification($8 >= 1)
  }' "$work/apart"

build/release/bench/token_benchmark "$repetitions"
