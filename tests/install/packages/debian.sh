#!/usr/bin/env bash
# debian.sh SOURCE_DIR WORK_DIR: installs the three Debian packages, uses what they brought, and removes them again.
# Where it is not root, or one of them is installed already, it exits with 77: nothing was tried.
set -euo pipefail
consumer=$1/tests/install/consumer packages=$2/packages
names=()
for package in "$packages"/*.deb; do names+=("$(dpkg-deb --field "$package" Package)"); done

((EUID == 0)) || { echo "not root"; exit 77; }
for name in "${names[@]}"; do
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null) != installed ]] ||
    { echo "$name is installed here already"; exit 77; }
done
work=$(mktemp -d)
leave() {
  dpkg --purge "${names[@]}" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap leave EXIT

echo "install"
dpkg --install "$packages"/*.deb
for name in "${names[@]}"; do dpkg --listfiles "$name"; done | sort -u >"$work/listed"
while read -r path; do [[ -d $path ]] || echo "$path"; done <"$work/listed" >"$work/files"

echo "use"
connectid --version
pushd "$work" >/dev/null
# shellcheck disable=SC2046  # several flags in one text is what pkg-config prints
c++ -std=c++20 "$consumer/main.cpp" "$consumer/second_unit.cpp" $(pkg-config --cflags --libs connectid) -o program
./program
cmake -S "$consumer" -B consumer >/dev/null
cmake --build consumer --parallel 2 >/dev/null
ctest --test-dir consumer --output-on-failure --no-tests=error
popd >/dev/null

echo "remove"
dpkg --purge "${names[@]}"
left=$(while read -r file; do [[ ! -e $file ]] || echo "$file"; done <"$work/files")
[[ -s $work/files && -z $left ]] || { printf 'left behind:\n%s\n' "$left"; exit 1; }
