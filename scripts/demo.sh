#!/usr/bin/env bash
# demo.sh: installs what is missing, builds the program connectid, and shows it at work against its own fake server.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-dependencies.sh build
echo "build the program (a minute or two the first time)"
# Without the tests and examples: the demo needs neither GoogleTest nor the time that they take.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{
  cmake --preset release -B build/demo -DBUILD_TESTING=OFF -DCONNECTID_BUILD_EXAMPLES=OFF
  cmake --build build/demo --parallel "$(nproc)"
} >"$log" 2>&1 || { cat "$log"; exit 1; }
PATH=$PWD/build/demo/cli:$PATH examples/tour.sh
