#!/usr/bin/env bash
# run.sh BUILD_DIR: installs the build into an empty prefix, compares what lies there with installed_files.txt, and
# builds and runs the project in this directory against it with each compiler and each standard.
set -euo pipefail
build_dir=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cmake=${CMAKE:-cmake}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "install into an empty prefix"
"$cmake" --install "$build_dir" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
# Moved, so that a path baked in at install time shows.
mv "$work/prefix" "$work/moved"

# Where the libraries go and what the build type is called differ from machine to machine; the rest does not.
installed_files() {
  (cd "$work/moved" && find . -type f -o -type l) |
    sed -E 's|^\./||; s/^lib(64|\/[a-z0-9_]+-linux-[a-z0-9]+)\//lib\//; s/-targets-[a-z]+\.cmake$/-targets-CONFIG.cmake/' |
    LC_ALL=C sort
}
echo "compare with installed_files.txt, the public headers and the commands"
diff -u <({ cat "$here/installed_files.txt"; "$here/../declared_files.sh"; } | LC_ALL=C sort) <(installed_files) ||
  { echo "installed files differ from tests/install/consumer/installed_files.txt"; exit 1; }

echo "a plain compiler line with pkg-config"
"$here/../packages/pkg_config.sh" static "$work/moved"

for compiler in g++ clang++; do
  if ! command -v "$compiler" >/dev/null; then
    [[ -z ${CI:-} ]] || { echo "$compiler is not on this machine, and CI tries both"; exit 1; }
    echo "SKIP $compiler: it is not on this machine"
    continue
  fi
  for standard in 20 23; do
    echo "consumer with $compiler, C++$standard"
    out=$work/$compiler-$standard
    {
      "$cmake" -S "$here" -B "$out" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_STANDARD="$standard" \
        -DCMAKE_PREFIX_PATH="$work/moved" &&
        "$cmake" --build "$out" --parallel 2 &&
        (cd "$out" && ctest --output-on-failure --no-tests=error)
    } >"$out.log" 2>&1 || { cat "$out.log"; exit 1; }
  done
done
