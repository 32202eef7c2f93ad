# shellcheck shell=bash
# What the other scripts share; they source it. It goes to the top of the repository.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck disable=SC2034  # those that source it use it
jobs=$(nproc)

# quietly COMMAND...: shows its output only where it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || { status=$?; cat "$log"; }
  rm -f "$log"
  return "$status"
}

# sources GLOB: the project's own files with such names, those that git does not know yet too.
sources() { find bench cli examples include src tests -name "$1" | sort; }

# install_dependencies [build|package|test|bench|coverage|docs|check|debian]: installs what is missing on Debian 12, 13 or
# sid to build (the default), to make the packages, to run the tests or the benchmark, to count the lines that the tests
# reach, to make the site of the documents, to run every check, or to make a root of another Debian.
install_dependencies() {
  local packages=(g++ cmake ninja-build pkg-config ca-certificates
    curl libcurl4-openssl-dev nlohmann-json3-dev libssl-dev libcpp-httplib-dev libcctz-dev libcli11-dev tzdata)
  local for_packages=(dpkg-dev file help2man)
  local daemons=(nginx haproxy squid)  # of these the tests run processes of their own; 6 MB to download, 24 MB installed
  local for_tests=("${for_packages[@]}" "${daemons[@]}" clang groff-base libgtest-dev libgmock-dev libsqlite3-dev zsh)
  case ${1:-build} in
    build) ;;
    package) packages+=("${for_packages[@]}") ;;
    test) packages+=("${for_tests[@]}") ;;
    bench) packages+=("${for_tests[@]}" valgrind) ;;
    coverage) packages+=("${for_tests[@]}" gcovr) ;;
    docs) packages=(doxygen) ;;
    debian) packages=(debootstrap) ;;
    check) packages+=("${for_tests[@]}" doxygen clang-format clang-tidy libclang-rt-dev shellcheck cppcheck libboost-dev
      node-llhttp) ;;
  esac

  if ! command -v apt-get >/dev/null; then
    echo "dependencies: this is not Debian; the packages there are: ${packages[*]}" >&2
    return
  fi
  local missing=() package status
  for package in "${packages[@]}"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || status=absent
    [[ $status == installed ]] || missing+=("$package")
  done
  ((${#missing[@]} > 0)) || { echo "dependencies: all there"; return; }

  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  ((EUID == 0)) || command -v sudo >/dev/null ||
    { echo "dependencies: neither root nor sudo; ask root to run: apt-get install ${missing[*]}" >&2; exit 1; }
  echo "dependencies: install ${missing[*]}"
  # apt starts a daemon that it installs, unless policy-rc.d says no (README.policy-rc.d of init-system-helpers). Where the
  # machine has none, there is one for as long as this runs.
  local policy=/usr/sbin/policy-rc.d
  (
    if [[ ! -e $policy ]]; then
      trap '"${as_root[@]}" rm -f "$policy"' EXIT
      printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
    fi
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
  )
  # Nor when the machine starts the next time.
  for package in "${daemons[@]}"; do
    [[ " ${missing[*]} " != *" $package "* ]] || "${as_root[@]}" update-rc.d "$package" disable >/dev/null
  done
}
