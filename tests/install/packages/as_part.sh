#!/usr/bin/env bash
# as_part.sh add_subdirectory|fetch_content SOURCE_DIR: somebody's project that builds the library as a part of itself.
set -euo pipefail
how=$1 source_dir=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake -S "$here/as_part" -B "$work/build" -DHOW="$how" -DCONNECTID_SOURCE="$source_dir" -DCONNECTID_WERROR=ON
cmake --build "$work/build" --parallel 2
"$work/build/shop"

echo "it neither installs our files nor runs our tests"
cmake --install "$work/build" --prefix "$work/prefix" >/dev/null
installed=$(cd "$work/prefix" && find . -type f)
[[ $installed == ./bin/shop ]] || { echo "installed: $installed"; exit 1; }
tests=$(ctest --test-dir "$work/build" --show-only)
grep -q 'Total Tests: 1$' <<<"$tests" || { echo "$tests"; exit 1; }
