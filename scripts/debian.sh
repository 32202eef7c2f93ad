#!/usr/bin/env bash
# debian.sh trixie|sid [ctest option...]: builds the project and runs its tests in a root of that Debian: other compilers,
# another libcurl. Needs root. The root is made once, in build/roots; delete it to get one of today's packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

suite=${1:-}
case $suite in
  trixie | sid) shift ;;
  *) echo "usage: debian.sh trixie|sid [ctest option...]" >&2; exit 2 ;;
esac
((EUID == 0)) || { echo "debian.sh: only root can make a root of Debian and run programs in it" >&2; exit 1; }

root=build/roots/$suite build=build/$suite
if [[ ! -d $root ]]; then
  scripts/install-dependencies.sh debian
  echo "make $root"
  rm -rf "$root.part"
  mkdir -p "$root.part"
  # In mounts of its own: one that is interrupted leaves a /proc behind.
  unshare --mount debootstrap --variant=minbase "$suite" "$root.part" >"$root.log" || { tail "$root.log"; exit 1; }
  mkdir "$root.part/connectid"
  mv "$root.part" "$root"  # only a whole root has the name
fi
# How this machine reaches names and packages; it may have changed since.
cp --dereference /etc/hosts /etc/resolv.conf "$root/etc"
apt-config dump | grep -E '^Acquire::(https?::|Check-)' >"$root/etc/apt/apt.conf.d/99machine" || true

# Runs a command in the root, where the project is /connectid. The mounts are seen by that command alone, and end with it.
in_root() {
  # shellcheck disable=SC2016  # it is the inner shell that knows $root
  unshare --mount --pid --fork --kill-child bash -euc '
    root=$1
    shift
    mount --bind "$root" "$root"  # a chroot that can have mounts of its own: some tests make them
    mount --bind . "$root/connectid"
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    exec chroot "$root" env --chdir=/connectid "$@"' bash "$root" "$@"
}

in_root scripts/install-dependencies.sh test
echo "configure and build $build"
in_root cmake --preset release -B "$build"
in_root cmake --build "$build" --parallel "$(nproc)"

echo "run the tests"
in_root ctest --test-dir "$build" --parallel "$(nproc)" --output-on-failure --no-tests=error "$@"
echo "$suite: $(in_root curl-config --version), $(in_root c++ --version | head -1), $(in_root clang++ --version | head -1)"
