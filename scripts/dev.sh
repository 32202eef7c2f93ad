#!/usr/bin/env bash
# dev.sh NAME: after an edit, builds and runs the tests in tests/**/NAME*.cpp, and nothing else: `scripts/dev.sh exchange`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
(($# == 1)) || { echo "usage: dev.sh NAME" >&2; exit 2; }
shopt -s nullglob globstar
build=build/release

declare -A executables=([unit]=unit_tests [faults]=fault_tests [integration]=integration_tests [docs]=docs_tests
  [cli]=cli_tests [peers]=peers_tests)
found=()
for directory in "${!executables[@]}"; do
  files=("tests/$directory/"**/"$1"*.cpp)
  ((${#files[@]} > 0)) || continue
  # What a file's suites are called, as they stand in it.
  suites=$(sed -nE 's/^TEST(_F|_P)?\(([A-Za-z0-9_]+),.*/*\2.*/p' "${files[@]}" | sort -u | paste -sd:)
  [[ -z $suites ]] || found+=("${executables[$directory]} $suites")
done
((${#found[@]} > 0)) || { echo "dev: no tests in tests/**/$1*.cpp" >&2; exit 2; }

[[ -f $build/tests/CTestTestfile.cmake ]] || { scripts/install-dependencies.sh test; cmake --preset release; }
cmake --build --preset release --parallel "$(nproc)" --target "${found[@]%% *}"
for suites in "${found[@]}"; do
  "$build/tests/${suites%% *}" --gtest_brief=1 --gtest_filter="${suites#* }"
done
