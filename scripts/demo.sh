#!/usr/bin/env bash
# demo.sh: installs what is missing, builds the program connectid, and shows it at work against its own fake server.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-dependencies.sh build
echo "build the program (a minute or two the first time)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{
  # Where scripts/test.sh has not been yet, GoogleTest may be missing, and the demo does not need it.
  [[ -f build/release/build.ninja ]] || cmake --preset release -DBUILD_TESTING=OFF
  cmake --build --preset release --target connectid_program --parallel "$(nproc)"
} >"$log" 2>&1 || { cat "$log"; exit 1; }
PATH=$PWD/build/release/cli:$PATH examples/tour.sh
