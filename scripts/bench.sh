#!/usr/bin/env bash
# bench.sh [REPETITIONS]: what one start costs the thread that calls, beside bare libcurl, and what a token costs that
# renews itself: see docs/benchmarks.md. Says whether the targets are met; measuring is all that it can fail in. (Medians of 51 repetitions, interleaved.)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
repetitions=${1:-51}
ways=(bare bare_callback by_hand connectid)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

scripts/install-dependencies.sh bench
echo "build the benchmark"
{
  cmake --preset release -DCONNECTID_BUILD_BENCHMARKS=ON
  cmake --build --preset release --target start_benchmark start_calls token_benchmark --parallel "$(nproc)"
} >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

echo "measure: $repetitions repetitions of each"
build/release/bench/start_benchmark --benchmark_repetitions="$repetitions" --benchmark_min_time=0.03 \
  --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true \
  --benchmark_format=csv >"$work/start.csv" 2>"$work/log" || { cat "$work/log"; exit 1; }

# A column of the benchmark's table, found by its name.
median() {  # WAY COLUMN
  awk -F, -v way="$1_median" -v column="$2" '{ gsub(/"/, "") } $1 == "name" { for (i = 1; i <= NF; i++) at[$i] = i }
    $1 == way { print $at[column]; found = 1 } END { exit !found }' "$work/start.csv"
}

instructions_of() {  # WAY COUNT: of a whole process
  valgrind --tool=callgrind --callgrind-out-file=/dev/null build/release/bench/start_calls "$1" "$2" 2>&1 |
    awk '/Collected/ { print $NF; found = 1 } END { exit !found }'
}
# Two counts of calls: their difference holds neither the start of the process nor the first connection.
instructions() {
  local few many
  few=$(instructions_of "$1" 500)
  many=$(instructions_of "$1" 1000)
  echo $(((many - few) / 500))
}

for way in "${ways[@]}"; do
  echo "$way $(median "$way" cpu_time) $(instructions "$way") $(median "$way" allocations)"
done >"$work/table"

awk 'BEGIN { printf "%-14s %10s %7s %14s %7s %12s %7s\n", "", "CPU us", "ratio", "instructions", "ratio", "allocations", "more" }
  NR == 1 { cpu = $2; code = $3; heap = $4 }
  { printf "%-14s %10.1f %7.2f %14d %7.2f %12d %+7d\n", $1, $2, $2 / cpu, $3, $3 / code, $4, $4 - heap }
  $1 == "connectid" { ratio = $2 / cpu; more = $4 - heap }
  function verdict(met) { return met ? "met" : "missed" }
  END {
    printf "CPU: %.2f times bare libcurl (target: 1.15 at most): %s\n", ratio, verdict(ratio <= 1.15)
    printf "allocations: %d more than bare libcurl (target: 15 at most): %s\n", more, verdict(more <= 15)
  }' "$work/table"

build/release/bench/token_benchmark "$repetitions"
