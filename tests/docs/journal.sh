#!/usr/bin/env bash
# journal.sh EXAMPLE: runs examples/journal.cpp as after a crash, and again; and where there is no directory for its file.
set -euo pipefail
example=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
file=$work/calls.journal
fail() { echo "$*" >&2; exit 1; }

cat >"$file" <<'LINES'
{"v":1,"at":"2026-04-01T03:00:07.123Z","event":"sending","call_id":"1001.1","attempt":1,"method":"POST","url":"https://h.example/v1/subscription","body":"{}"}
{"v":1,"at":"2026-04-01T03:00:07.321Z","event":"ended","call_id":"1001.1","outcome":"succeeded"}
{"v":1,"at":"2026-04-01T03:00:07.123Z","event":"sending","call_id":"1002.1","attempt":1,"method":"POST","url":"https://h.example/v1/subscription","body":"{\"copies\":1}"}
LINES
printf '{"v":1,"at":"2026-04-01T03:00' >>"$file"  # killed here

[[ $("$example" "$file") == 'may have started, so verify: call 1002.1, {"copies":1}' ]] || fail "what was in flight is not told"
[[ -z $("$example" "$file") ]] || fail "what was settled is told again"
[[ $(grep -c '"event":"ended".*"outcome":"succeeded"' "$file") == 3 ]] || fail "the calls of the example are not in the file"

status=0
said=$("$example" "$work/none/calls.journal" 2>&1) || status=$?
[[ $status == 1 && $said == *"No such file or directory"* ]] || fail "without a directory: status $status, $said"
