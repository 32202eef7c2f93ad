#!/usr/bin/env bash
# contents.sh WORK_DIR [--write]: compares what the Debian packages hold with contents.txt, or writes that file.
set -euo pipefail
recorded=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/contents.txt

contents() {
  local package path
  for package in "$1"/packages/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar --list | grep -v '/$' | while read -r path; do
      echo "$(dpkg-deb --field "$package" Package): ${path#./}"
    done
  done | sed -E 's|usr/lib/[a-z0-9_]+-linux-[a-z0-9]+/|usr/lib/ARCH/|' | LC_ALL=C sort
}
if [[ ${2:-} == --write ]]; then
  contents "$1" >"$recorded"
else
  diff -u "$recorded" <(contents "$1") || { echo "the packages differ from tests/install/packages/contents.txt"; exit 1; }
fi
