#!/usr/bin/env bash
# public_headers.sh COMPILER INCLUDE_DIR HEADER...: fails if these headers make the compiler read one of curl's,
# nlohmann's, CCTZ's, cpp-httplib's or OpenSSL's.
set -euo pipefail
compiler=$1 include_dir=$2
shift 2

read_files=$(printf '#include <%s>\n' "$@" | "$compiler" -std=c++20 -I"$include_dir" -x c++ -M - | grep -o '/[^ ]*')
[[ $read_files == */string* ]] || { echo "the compiler named no file it read: this check is blind" >&2; exit 1; }

if shown=$(grep -v "^$include_dir/" <<<"$read_files" | grep -E '/(curl|nlohmann|cctz|openssl)/|/httplib\.h$'); then
  printf 'public headers show: %s\n' "$shown" >&2
  exit 1
fi
echo "$# headers, $(wc -l <<<"$read_files") files read: none of curl, nlohmann, CCTZ, cpp-httplib or OpenSSL"
