#!/usr/bin/env bash
# as_part.sh SOURCE_DIR: somebody's project that builds the library as a part of itself. FetchContent calls
# add_subdirectory: both are configured, and what the former brings is built and run.
set -euo pipefail
source_dir=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for how in add_subdirectory fetch_content; do
  cmake -S "$here/as_part" -B "$work/$how" -DHOW="$how" -DCONNECTID_SOURCE="$source_dir" -DCONNECTID_WERROR=ON
  echo "our tests are not among its own"
  tests=$(ctest --test-dir "$work/$how" --show-only)
  grep -q 'Total Tests: 1$' <<<"$tests" || { echo "$tests"; exit 1; }
done
cmake --build "$work/fetch_content" --parallel 2
"$work/fetch_content/shop"

echo "it installs none of our files"
cmake --install "$work/fetch_content" --prefix "$work/prefix" >/dev/null
installed=$(cd "$work/prefix" && find . -type f)
[[ $installed == ./bin/shop ]] || { echo "installed: $installed"; exit 1; }
