#!/usr/bin/env bash
# fuzz.sh [SECONDS [TARGET...]]: lets libFuzzer look for inputs that break a target of tests/fuzz, SECONDS (10) each, as
# many targets at once as there are processors. Ends non-zero on a finding, and says where the input lies.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=build/asan work=build/fuzz

fuzz_one() {  # SECONDS TARGET
  local target=$2 log=$work/$2.log
  [[ -x $build/tests/fuzz/fuzz_$target ]] || { echo "fuzz $target: not built here, cmake --preset asan says why"; return; }
  mkdir -p "$work/corpus/$target" "$work/findings"
  # What it learns goes into the first directory. An input may take 5 seconds: nothing here should.
  if "$build/tests/fuzz/fuzz_$target" -max_total_time="$1" -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$work/findings/$target-" "$work/corpus/$target" "tests/fuzz/corpus/$target" 2>"$log"; then
    echo "fuzz $target: $(grep -E '^#[0-9]+.*DONE' "$log" | tr -s '\t ' ' '), no finding"
  else
    grep -v -e '^#' -e '^INFO:' -e '^stat::' -e '^0x' "$log" | tail -n 40
    echo "fuzz $target: a finding; $(grep -o 'Test unit written to .*' "$log"); the whole log: $log"
    return 1
  fi
}

if [[ ${1:-} == --one ]]; then  # one of those that the script itself starts side by side
  fuzz_one "$2" "$3"
  exit
fi

seconds=${1:-10}
(($# == 0)) || shift
targets=("$@")
if ((${#targets[@]} == 0)); then
  for directory in tests/fuzz/corpus/*/; do targets+=("$(basename "$directory")"); done
fi
for target in "${targets[@]}"; do
  [[ -d tests/fuzz/corpus/$target ]] || { echo "fuzz: tests/fuzz/corpus has no $target" >&2; exit 2; }
done
scripts/install-dependencies.sh check
echo "fuzz: build the targets"
cmake --preset asan >/dev/null
cmake --build --preset asan --target fuzzers --parallel "$(nproc)"
printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P "$(nproc)" scripts/fuzz.sh --one "$seconds"
