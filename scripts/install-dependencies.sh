#!/usr/bin/env bash
# install-dependencies.sh [build|package|test|bench|coverage|docs|check|debian]: installs what is missing on
# Debian 12, 13 or sid to build (the default), to make the Debian packages, to run the tests, to run the benchmark, to
# count the lines that the tests reach, to make the site of the documents, to run every check, or to make a root of
# another Debian. Asks for nothing, and does nothing where all is there.
set -euo pipefail

packages=(g++ cmake ninja-build pkg-config ca-certificates
  curl libcurl4-openssl-dev nlohmann-json3-dev libssl-dev libcpp-httplib-dev libcctz-dev libcli11-dev tzdata)
for_packages=(dpkg-dev file help2man)
daemons=(nginx haproxy squid)  # of these the tests run processes of their own; 6 MB to download, 24 MB installed
for_tests=("${for_packages[@]}" "${daemons[@]}" clang groff-base libgtest-dev libgmock-dev libsqlite3-dev zsh)
for_docs=(doxygen)
case ${1:-build} in
  build) ;;
  package) packages+=("${for_packages[@]}") ;;
  test) packages+=("${for_tests[@]}") ;;
  bench) packages+=("${for_tests[@]}" valgrind) ;;
  coverage) packages+=("${for_tests[@]}" gcovr) ;;
  docs) packages=("${for_docs[@]}") ;;
  debian) packages=(debootstrap) ;;
  check) packages+=("${for_tests[@]}" "${for_docs[@]}" clang-format clang-tidy libclang-rt-dev shellcheck cppcheck
    libboost-dev node-llhttp) ;;
  *) echo "usage: install-dependencies.sh [build|package|test|bench|coverage|docs|check|debian]" >&2; exit 2 ;;
esac

if ! command -v apt-get >/dev/null; then
  echo "dependencies: this is not Debian; what it takes there is: ${packages[*]}" >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || status=absent
  [[ $status == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "dependencies: all there"
  exit 0
fi

as_root=()
((EUID == 0)) || as_root=(sudo)
((EUID == 0)) || command -v sudo >/dev/null ||
  { echo "dependencies: neither root nor sudo; ask root to run: apt-get install ${missing[*]}" >&2; exit 1; }
echo "dependencies: install ${missing[*]}"

# apt starts a daemon that it installs, unless policy-rc.d says no (README.policy-rc.d of init-system-helpers). Where the
# machine has none, there is one for as long as this runs.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
# Nor when the machine starts the next time.
for daemon in "${daemons[@]}"; do
  [[ " ${missing[*]} " != *" $daemon "* ]] || "${as_root[@]}" update-rc.d "$daemon" disable >/dev/null
done
