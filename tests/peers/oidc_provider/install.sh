#!/usr/bin/env bash
# install.sh DIRECTORY: puts the server and the packages that it needs there, unless they are there already. Ends with 77,
# and says why, where this machine cannot have them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
cannot() { echo "$*"; exit 77; }
command -v npm >/dev/null || cannot "npm is not installed (Debian's package: npm)"
[[ $(node --version) =~ ^v([0-9]+) ]] || cannot "node does not tell its version"
((BASH_REMATCH[1] >= 18)) || cannot "node is older than version 18"

mkdir -p "$1"
exec {lock}>"$1/lock"
flock "$lock" # the tests beside this one want the same
files=(package.json package-lock.json server.mjs)
if cat "${files[@]}" | cmp --silent - "$1/installed"; then exit; fi
cp "${files[@]}" "$1"
status=0
said=$(timeout 30 npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 \
  --fetch-retry-mintimeout=1000 2>&1) || status=$?
# What does not fit the lock file, or is not what it was, is no matter of the network.
if [[ $said == *EUSAGE* || $said == *EINTEGRITY* ]]; then echo "$said"; exit 1; fi
((status == 0)) || cannot "npm ci did not get the packages from its registry within 30 s: ${said%%$'\n'*}"
cat "${files[@]}" >"$1/installed"
