#!/usr/bin/env bash
# check.sh [all|WORD...] [-- ARGUMENT...]: one check a word, the same here and in CI; the arguments go to each of them.
#   all: format includes shell cppcheck docs tests packages asan tsan fuzz tidy
#   fuzz [-- SECONDS [TARGET...]]: lets libFuzzer look for inputs that break a target of tests/fuzz, SECONDS (10) each. Ends
#     non-zero on a finding, and says where the input lies
# And what is not among all:
#   coverage  which lines of src/ the tests reach: a table, with the lines that none does. Says nothing of whether what
#     they do is right: the fault matrix, the model check and the chaos do
#   gnutls    the tests of the wire with Debian 12's libcurl that has GnuTLS, in place of the one with OpenSSL
#   debian13, sid [-- CTEST_OPTION...]: everything in a root of that Debian: other compilers, another libcurl. Needs root.
#     It is made once, in build/roots; delete it to get one of today's packages
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

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
  { ls .ci/run scripts/*.sh; sources '*.sh'; echo cli/completions/connectid.bash; } | xargs shellcheck --external-sources --source-path=SCRIPTDIR
}

check_docs() {
  echo "check docs: the code blocks, the links between the pages, and what Doxygen makes of headers and pages"
  scripts/docs.sh --check
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

fuzz_one() {  # SECONDS TARGET
  local build=build/asan/tests/fuzz work=build/fuzz target=$2 log=build/fuzz/$2.log
  [[ -x $build/fuzz_$target ]] || { echo "fuzz $target: not built here, cmake --preset asan says why"; return; }
  mkdir -p "$work/corpus/$target" "$work/findings"
  # What it learns goes into the first directory. An input may take 5 seconds: nothing here should.
  if "$build/fuzz_$target" -max_total_time="$1" -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$work/findings/$target-" "$work/corpus/$target" "tests/fuzz/corpus/$target" 2>"$log"; then
    echo "fuzz $target: $(grep -E '^#[0-9]+.*DONE' "$log" | tr -s '\t ' ' '), no finding"
  else
    grep -v -e '^#' -e '^INFO:' -e '^stat::' -e '^0x' "$log" | tail -n 40
    echo "fuzz $target: a finding; $(grep -o 'Test unit written to .*' "$log"); the whole log: $log"
    return 1
  fi
}

check_fuzz() {
  local seconds=${1:-10} targets=("${@:2}") target
  echo "check fuzz: libFuzzer, $seconds seconds a target"
  ((${#targets[@]} > 0)) || targets=(tests/fuzz/corpus/*)
  targets=("${targets[@]##*/}")
  for target in "${targets[@]}"; do
    [[ -d tests/fuzz/corpus/$target ]] || { echo "fuzz: tests/fuzz/corpus has no $target" >&2; exit 2; }
  done
  cmake --preset asan >/dev/null
  cmake --build --preset asan --target fuzzers --parallel "$jobs"
  export -f fuzz_one
  # shellcheck disable=SC2016  # it is the inner shell that has the two
  printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P "$jobs" bash -c 'fuzz_one "$0" "$1"' "$seconds"
}

check_coverage() {
  install_dependencies coverage
  echo "check coverage: build with counters"
  # atomic: threads count in the same places
  quietly cmake --preset debug -B build/coverage -DCMAKE_CXX_FLAGS="--coverage -fprofile-update=atomic"
  quietly cmake --build build/coverage --parallel "$jobs"
  find build/coverage -name '*.gcda' -delete
  echo "run the tests"
  quietly ctest --test-dir build/coverage --parallel "$jobs" --label-regex '^(unit|faults|integration|cli)$' \
    --exclude-regex '^consumer$'
  gcovr --root . --filter src/ --exclude-unreachable-branches --print-summary build/coverage
}

check_gnutls() {
  local build=build/gnutls library tests filter
  library=/usr/lib/$(gcc -print-multiarch)/libcurl-gnutls.so.4
  echo "check gnutls: the tests of the wire with libcurl that has GnuTLS"
  [[ -f $library ]] || { echo "gnutls: the package libcurl3-gnutls is not installed" >&2; exit 1; }
  # The headers of the two are the same; only the library is another.
  cmake --preset release -B "$build" -DCURL_LIBRARY="$library"
  cmake --build "$build" --parallel "$jobs" --target fault_tests unit_tests
  for tests in fault_tests unit_tests; do
    ldd "$build/tests/$tests" | grep --quiet libcurl-gnutls
    filter='*'
    [[ $tests == fault_tests ]] || filter='*Connection*:*TransportWire*:*Pool*'
    "$build/tests/$tests" --gtest_brief=1 --gtest_filter="$filter"
  done
}

check_debian13() { check_debian trixie "$@"; }
check_sid() { check_debian sid "$@"; }

make_root() {  # SUITE
  local root=build/roots/$1
  install_dependencies debian
  echo "make $root"
  rm -rf "$root.part"
  mkdir -p "$root.part"
  # In mounts of its own: one that is interrupted leaves a /proc behind.
  unshare --mount debootstrap --variant=minbase "$1" "$root.part" >"$root.log" || { tail "$root.log"; return 1; }
  mkdir "$root.part/connectid"
  mv "$root.part" "$root"  # only a whole root has the name
}

# Runs a command in the root, where the project is /connectid. The mounts are seen by that command alone, and end with it.
in_root() {  # ROOT COMMAND...
  # shellcheck disable=SC2016  # it is the inner shell that knows $root
  unshare --mount --pid --fork --kill-child bash -euc '
    root=$1
    shift
    mount --bind "$root" "$root"  # a chroot that can have mounts of its own: some tests make them
    mount --bind . "$root/connectid"
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    exec chroot "$root" env --chdir=/connectid "$@"' bash "$@"
}

check_debian() {  # SUITE [CTEST_OPTION...]
  local suite=$1 root=build/roots/$1 build=build/$1
  shift
  echo "check $suite: everything again on that Debian"
  ((EUID == 0)) || { echo "$suite: only root can make a root of Debian and run programs in it" >&2; exit 1; }
  [[ -d $root ]] || make_root "$suite"
  # How this machine reaches names and packages; it may have changed since.
  cp --dereference /etc/hosts /etc/resolv.conf "$root/etc"
  apt-config dump | grep -E '^Acquire::(https?::|Check-)' >"$root/etc/apt/apt.conf.d/99machine" || true

  in_root "$root" bash -c 'source scripts/common.sh; install_dependencies test'
  echo "configure and build $build"
  in_root "$root" cmake --preset release -B "$build"
  in_root "$root" cmake --build "$build" --parallel "$jobs"
  echo "run the tests"
  in_root "$root" ctest --test-dir "$build" --parallel "$jobs" --output-on-failure --no-tests=error "$@"
  echo "$suite: $(in_root "$root" curl-config --version), $(in_root "$root" c++ --version | head -1)," \
    "$(in_root "$root" clang++ --version | head -1)"
}

all=(format includes shell cppcheck docs tests packages asan tsan fuzz tidy)
words=()
while (($# > 0)) && [[ $1 != -- ]]; do
  words+=("$1")
  shift
done
(($# == 0)) || shift  # the rest are arguments
[[ ${words[*]:-all} != all ]] || words=("${all[@]}")
for word in "${words[@]}"; do
  [[ " ${all[*]} coverage gnutls debian13 sid " == *" $word "* ]] ||
    { echo "usage: check.sh [all|${all[*]// /|}|coverage|gnutls|debian13|sid]... [-- ARGUMENT...]" >&2; exit 2; }
done
for word in "${words[@]}"; do
  [[ $word == debian13 || $word == sid ]] || install_dependencies check
  "check_$word" "$@"
done
