#!/usr/bin/env bash
# test.sh: installs what is missing, builds release, runs every test but those of the packages, which build the library
# again and install it as root: scripts/check.sh packages.
# test.sh NAME: after an edit, builds and runs the tests in tests/**/NAME*.cpp, and nothing else: `scripts/test.sh exchange`.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
shopt -s nullglob globstar
build=build/release

run_all() {
  install_dependencies test
  echo "configure and build release"
  cmake --preset release
  cmake --build --preset release --parallel "$jobs"
  echo "run the tests"
  ctest --preset release --label-exclude '^packages$'

  # Every secret of the tests, and every one that the fake server makes, has the word canary in it, but for those that it
  # knows from the start. (The files that tests write, journals among them, each test's TemporaryDirectory looks through;
  # what the program prints, its own tests do.)
  echo "look for secrets in all that the tests have printed"
  local printed=$build/Testing/Temporary/LastTest.log
  ! grep -nE 'canary|test-(token|secret|refresh-token)' "$printed" || { echo "a secret was printed: see $printed"; exit 1; }
  echo "none in $(wc -l <"$printed") lines"
}

run_named() {  # NAME
  local -A executables=([unit]=unit_tests [faults]=fault_tests [integration]=integration_tests [docs]=docs_tests
    [cli]=cli_tests [peers]=peers_tests)
  local directory files suites found=()
  for directory in "${!executables[@]}"; do
    files=("tests/$directory/"**/"$1"*.cpp)
    ((${#files[@]} > 0)) || continue
    # What a file's suites are called, as they stand in it.
    suites=$(sed -nE 's/^TEST(_F|_P)?\(([A-Za-z0-9_]+),.*/*\2.*/p' "${files[@]}" | sort -u | paste -sd:)
    [[ -z $suites ]] || found+=("${executables[$directory]} $suites")
  done
  ((${#found[@]} > 0)) || { echo "test: no tests in tests/**/$1*.cpp" >&2; exit 2; }
  [[ -f $build/tests/CTestTestfile.cmake ]] || { install_dependencies test; cmake --preset release; }
  cmake --build --preset release --parallel "$jobs" --target "${found[@]%% *}"
  for suites in "${found[@]}"; do
    "$build/tests/${suites%% *}" --gtest_brief=1 --gtest_filter="${suites#* }"
  done
}

case $# in
  0) run_all ;;
  1) run_named "$1" ;;
  *) echo "usage: test.sh [NAME]" >&2; exit 2 ;;
esac
