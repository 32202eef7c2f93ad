#!/usr/bin/env bash
# check.sh [all|format|includes|shell|cppcheck|docs|tests|packages|asan|tsan|fuzz|tidy|debian13|sid]...: one check a word, the same
# here and in CI. The last two are not among `all`: each makes a Debian of its own first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs=$(nproc)

# The project's own files that end so, new ones that git does not know yet among them.
sources() {
  local rooms=() room
  for room in bench cli examples include src tests; do [[ ! -d $room ]] || rooms+=("$room"); done
  find "${rooms[@]}" -name "$1" | sort
}

build_and_run() {  # PRESET
  # CMake takes a directory of another compiler over, and loses the preset's flags without a word.
  grep -qs '^CMAKE_CXX_COMPILER:.*clang++$' "build/$1/CMakeCache.txt" || rm -rf "build/$1"
  cmake --preset "$1"
  cmake --build --preset "$1" --parallel "$jobs"
  ctest --preset "$1"
}

check_format() {
  echo "check format: clang-format on every source"
  sources '*.[ch]pp' | xargs clang-format --dry-run -Werror
}

check_tidy() {
  echo "check tidy: clang-tidy on the library, its test doubles, the program, the examples and what the benchmarks share"
  cmake --preset release >/dev/null
  local log
  log=$(mktemp)
  run-clang-tidy -quiet -p build/release -j "$jobs" "^$PWD/(src|cli|examples|bench)/" >"$log" 2>&1 ||
    { grep -v -e '^clang-tidy' -e 'warnings generated' -e '^Suppressed' -e '^Use -header-filter' "$log"; return 1; }
}

check_cppcheck() {
  echo "check cppcheck: the library with its headers, the program, the examples and the benchmark"
  # -Dinline= : cppcheck 2.10 loses track of the names behind `namespace connectid::inline v0`; without the word it is
  # the same code to it. localMutex: a wait for a stop alone, in three places, only needs a
  # lock to wait with.
  cppcheck --quiet --error-exitcode=1 -j "$jobs" --std=c++20 --language=c++ --library=googletest --inline-suppr -Dinline= \
    --enable=warning,performance,portability --suppress=missingIncludeSystem \
    --suppress=localMutex:cli/commands/fake_server.cpp --suppress=localMutex:src/base/pause.cpp \
    --suppress=localMutex:examples/sqlite_token_store.cpp -I include -I src src cli examples bench
}

# What each directory of src/ may include beside itself. The program has the public headers alone.
check_includes() {
  echo "check includes: they go one way"
  local directory allowed found
  while read -r directory allowed; do
    found=$(grep -rnE '#include "[a-z_]+/' "$directory" | grep -vE "#include \"(${directory#src/}${allowed:+|${allowed// /|}})/") || continue
    echo "$directory may include only ${allowed:-itself}:"$'\n'"$found"
    return 1
  done <<'DIRECTIONS'
src/base
src/http base
src/rate_limit base
src/journal base
src/call base http rate_limit journal
src/endpoints base http call
src/auth base http call
src/client base http rate_limit journal call endpoints
src/testing base http endpoints
DIRECTIONS
  if grep -rnE '#include "(base|http|rate_limit|journal|call|endpoints|client|auth|testing)/' cli; then return 1; fi
  if find src -maxdepth 1 -name '*.[ch]pp' | grep .; then return 1; fi
}

check_shell() {
  echo "check shell: shellcheck on every script"
  { ls .ci/run scripts/*.sh; sources '*.sh'; } | xargs shellcheck --external-sources
}

check_docs() {
  echo "check docs: the links between the pages, and what Doxygen makes of headers and pages"
  scripts/docs.sh
}

check_tests() {
  echo "check tests: every test but those of the packages"
  scripts/test.sh
}

check_packages() {
  echo "check packages: the Debian packages, the shared library, and the library as a part of another project"
  cmake --preset release
  ctest --preset release --label-regex '^packages$'
}

check_asan() {
  echo "check asan: what handles memory and bytes, and the examples, under AddressSanitizer and UndefinedBehaviorSanitizer"
  ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 \
    build_and_run asan
}

check_tsan() {
  echo "check tsan: what has threads, and the faults, under ThreadSanitizer"
  TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tests/tsan.supp build_and_run tsan
}

check_fuzz() {
  echo "check fuzz: libFuzzer, ten seconds a target"
  scripts/fuzz.sh 10
}

check_debian13() {
  echo "check debian13: everything again on Debian 13"
  scripts/debian.sh trixie
}

check_sid() {
  echo "check sid: everything again on Debian's newest"
  scripts/debian.sh sid
}

all=(format includes shell cppcheck docs tests packages asan tsan fuzz tidy)
[[ ${*:-all} != all ]] || set -- "${all[@]}"
for part in "$@"; do
  declare -F "check_$part" >/dev/null ||
    { echo "usage: check.sh [all] [${all[*]} debian13 sid]" >&2; exit 2; }
done
for part in "$@"; do
  [[ $part == debian13 || $part == sid ]] || scripts/install-dependencies.sh check
  "check_$part"
done
