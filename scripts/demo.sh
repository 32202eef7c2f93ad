#!/usr/bin/env bash
# demo.sh: installs what is missing, builds release, starts a subscription at the fake server with the real library.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-dependencies.sh build
echo "build the demo"
# Without the tests: the demo needs neither GoogleTest nor the time that they take.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{
  cmake --preset release -B build/demo -DBUILD_TESTING=OFF
  cmake --build build/demo --target demo --parallel "$(nproc)"
} >"$log" 2>&1 || { cat "$log"; exit 1; }
build/demo/examples/demo
