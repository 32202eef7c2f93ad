#!/usr/bin/env bash
# package.sh [FOLDER]: builds the Debian packages (library, development files, program) into FOLDER; build/packages
# unless given.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
directory=${1:-build/packages}

scripts/install-dependencies.sh package
cmake --preset release -B build/package -DBUILD_SHARED_LIBS=ON -DBUILD_TESTING=OFF -DCONNECTID_BUILD_EXAMPLES=OFF \
  -DCMAKE_INSTALL_PREFIX=/usr
cmake --build build/package --parallel "$(nproc)"
mkdir -p "$directory"
trap 'rm -rf "$directory/_CPack_Packages"' EXIT
cpack --config build/package/CPackConfig.cmake -B "$directory"
