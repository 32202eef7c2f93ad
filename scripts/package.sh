#!/usr/bin/env bash
# package.sh [DIRECTORY]: builds the Debian packages (library, development files, program) into DIRECTORY, by default
# build/packages.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
directory=${1:-build/packages}

install_dependencies package
cmake --preset release -B build/package -DBUILD_SHARED_LIBS=ON -DBUILD_TESTING=OFF -DCONNECTID_BUILD_EXAMPLES=OFF \
  -DCMAKE_INSTALL_PREFIX=/usr
cmake --build build/package --parallel "$jobs"
mkdir -p "$directory"
trap 'rm -rf "$directory/_CPack_Packages"' EXIT
cpack --config build/package/CPackConfig.cmake -B "$directory"
