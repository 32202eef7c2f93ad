#!/usr/bin/env bash
# update-docs.sh: writes the code blocks that are cut from files, and the pages in docs/ that are made from the tests. (A
# test fails where one is not current.)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/cut-docs.sh
scripts/install-dependencies.sh test
echo "build the fault tests"
cmake --preset release >/dev/null
cmake --build --preset release --target fault_tests --parallel "$(nproc)" >/dev/null
echo "write docs/faults.md"
CONNECTID_WRITE_DOCS=1 build/release/tests/fault_tests --gtest_brief=1 --gtest_filter='*Page.*'
