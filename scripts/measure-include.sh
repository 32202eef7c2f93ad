#!/usr/bin/env bash
# measure-include.sh [RUNS]: what <connectid/connectid.hpp> costs a compiler beside the standard headers that any such
# interface takes. The target is 1.5 times at most. (User CPU time, the two interleaved, medians of 11 runs.)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
runs=${1:-11}
compiler=${CXX:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

scripts/install-dependencies.sh build
printf '#include <%s>\n' string vector chrono variant functional >"$work/standard.cpp"
printf '#include <connectid/connectid.hpp>\n' >"$work/connectid.cpp"

user_ms() {
  local TIMEFORMAT=%U seconds
  seconds=$({ time "$compiler" -std=c++20 -O0 -Iinclude -c "$1" -o "$work/out.o"; } 2>&1)
  echo $((10#${seconds/./}))  # 0.650 is 650 ms
}
median() { sort -n "$1" | sed -n "$(((runs + 1) / 2))p"; }

user_ms "$work/standard.cpp" >/dev/null  # the first one reads the disk
for ((run = 0; run < runs; run++)); do
  for name in standard connectid; do user_ms "$work/$name.cpp" >>"$work/$name.ms"; done
done

standard=$(median "$work/standard.ms") connectid=$(median "$work/connectid.ms")
echo "standard headers: $standard ms"
echo "connectid/connectid.hpp: $connectid ms"
echo "ratio: $(awk "BEGIN { printf \"%.2f\", $connectid / $standard }") (target: 1.50 at most)"
