#!/usr/bin/env bash
# test.sh: installs what is missing, builds release, runs every test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-dependencies.sh test
echo "configure and build release"
cmake --preset release
cmake --build --preset release --parallel "$(nproc)"
echo "run every test"
ctest --preset release --parallel "$(nproc)"
