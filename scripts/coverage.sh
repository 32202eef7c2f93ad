#!/usr/bin/env bash
# coverage.sh: which lines of src/ the tests reach: a table, with the lines that none does. Says nothing of whether what
# they do is right: the fault matrix, the model check and the chaos do.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs=$(nproc)
log=$(mktemp)
trap 'rm -f "$log"' EXIT

scripts/install-dependencies.sh coverage
echo "build with counters"
{
  # atomic: threads count in the same places
  cmake --preset debug -B build/coverage -DCMAKE_CXX_FLAGS="--coverage -fprofile-update=atomic"
  cmake --build build/coverage --parallel "$jobs"
  find build/coverage -name '*.gcda' -delete
} >"$log" 2>&1 || { cat "$log"; exit 1; }

echo "run the tests"
ctest --test-dir build/coverage --parallel "$jobs" --label-regex '^(unit|faults|integration|program)$' \
  --exclude-regex '^consumer$' >"$log" 2>&1 || { cat "$log"; exit 1; }

gcovr --root . --filter src/ --exclude-unreachable-branches --print-summary build/coverage
