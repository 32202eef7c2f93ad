#!/usr/bin/env bash
# demo.sh: installs what is missing, builds the program connectid, and shows it at work against its own fake server.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

install_dependencies build
echo "build the program (a minute or two the first time)"
# Where scripts/test.sh has not been yet, GoogleTest may be missing, and the demo does not need it.
[[ -f build/release/build.ninja ]] || quietly cmake --preset release -DBUILD_TESTING=OFF
quietly cmake --build --preset release --target connectid_program --parallel "$jobs"
PATH=$PWD/build/release/cli:$PATH examples/tour.sh
