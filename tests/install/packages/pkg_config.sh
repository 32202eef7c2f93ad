#!/usr/bin/env bash
# pkg_config.sh shared|static PREFIX: the consumer's program, built by a plain compiler line with what pkg-config says.
set -euo pipefail
kind=$1 prefix=$2
consumer=$(cd "$(dirname "${BASH_SOURCE[0]}")/../consumer" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pc=$(find "$prefix" -name connectid.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
if [[ $kind == shared ]]; then  # nothing but our own file is needed for it
  export PKG_CONFIG_LIBDIR=$PKG_CONFIG_PATH
fi
flags=$(pkg-config --cflags --libs connectid)
unset PKG_CONFIG_LIBDIR
testing_flags=$(pkg-config --cflags --libs connectid-testing)
echo "pkg-config says: $flags"

libraries=$(dirname "$(find "$prefix" -name 'libconnectid.*' -print -quit)")
# shellcheck disable=SC2086  # several flags in one text is what pkg-config prints
{
  c++ -std=c++20 "$consumer/main.cpp" "$consumer/second_unit.cpp" $flags -o "$work/program"
  c++ -std=c++20 "$consumer/with_fake_server.cpp" $testing_flags -o "$work/with_fake_server"
}
for program in program with_fake_server; do LD_LIBRARY_PATH=$libraries "$work/$program"; done

linked=$(LD_LIBRARY_PATH=$libraries ldd "$work/program")
case $kind in
  shared) grep -q "libconnectid.so.*=> $libraries/" <<<"$linked" ;;
  static) ! grep -q libconnectid <<<"$linked" ;;
esac || { echo "not linked $kind: $linked"; exit 1; }
