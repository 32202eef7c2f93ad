#!/usr/bin/env bash
# symbols.sh WORK_DIR [--write]: compares what the shared library exports with exported_symbols.txt, or writes that file.
set -euo pipefail
recorded=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/exported_symbols.txt
library=$1/build/src/libconnectid.so

# Beside ours, a C++ library shows what the standard library wants to be the same everywhere; a compiler chooses which.
# A template's instance has its return type in front.
ours='^((typeinfo|typeinfo name|vtable) for |std::optional<connectid::v0::[A-Za-z]+> )?connectid::v0::'
exported=$(nm --dynamic --defined-only --demangle --format=just-symbols "$library")
! grep -E 'nlohmann|curl_|cctz|httplib' <<<"$exported" || { echo "of a library behind ours"; exit 1; }
strangers=$(grep -vE "$ours|^((typeinfo|typeinfo name|vtable) for )?([a-z]+ )?std::" <<<"$exported") || true
if [[ -n $strangers ]]; then
  printf 'exported, and neither ours nor the standard library'"'"'s:\n%s\n' "$strangers"
  exit 1
fi
# One line for all endpoints.
symbols=$(grep -E "$ours" <<<"$exported" | sed -E 's/(endpoint_of\(connectid::v0::)[A-Za-z]+Request/\1REQUEST/' | LC_ALL=C sort -u)
if [[ ${2:-} == --write ]]; then
  printf '%s\n' "$symbols" >"$recorded"
else
  diff -u "$recorded" <(printf '%s\n' "$symbols") ||
    { echo "the exported symbols differ from tests/install/packages/exported_symbols.txt"; exit 1; }
fi
