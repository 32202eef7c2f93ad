#!/usr/bin/env bash
# test.sh: installs what is missing, builds release, runs every test but those of the packages, which build the library
# again and install it as root: scripts/check.sh packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-dependencies.sh test
echo "configure and build release"
cmake --preset release
cmake --build --preset release --parallel "$(nproc)"
echo "run the tests"
ctest --preset release --label-exclude '^packages$'

# Every secret of the tests, and every one that the fake server makes, has the word canary in it, but for those that it
# knows from the start. (What tests write into
# files, journals among them, each test's TemporaryFolder looks through; what the program prints, its own tests do.)
echo "look for secrets in all that the tests have printed"
printed=build/release/Testing/Temporary/LastTest.log
! grep -nE 'canary|test-(token|secret|refresh-token)' "$printed" || { echo "a secret was printed: see $printed"; exit 1; }
echo "none in $(wc -l <"$printed") lines"
