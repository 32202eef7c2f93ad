#!/usr/bin/env bash
# contents.sh WORK_DIR: compares what the Debian packages hold with contents.txt, the public headers and the commands.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

expected() {
  cat "$here/contents.txt"
  "$here/../declared_files.sh" | sed 's|^include/|libconnectid-dev: usr/&|; s|^share/|connectid-tools: usr/&|'
}

contents() {
  local package path
  for package in "$1"/packages/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar --list | grep -v '/$' | while read -r path; do
      echo "$(dpkg-deb --field "$package" Package): ${path#./}"
    done
  done | sed -E 's|usr/lib/[a-z0-9_]+-linux-[a-z0-9]+/|usr/lib/ARCH/|' | LC_ALL=C sort
}
diff -u <(expected | LC_ALL=C sort) <(contents "$1") ||
  { echo "the packages differ from tests/install/packages/contents.txt"; exit 1; }
