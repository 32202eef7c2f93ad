#!/usr/bin/env bash
# start_subscription.sh EXAMPLE: the first example starts one subscription, and its exit status is true when it does not.
set -euo pipefail
example=$1
exec {lines}< <(exec connectid fake-server)
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
read -r _ url <&"$lines"
started() { curl --silent --fail --noproxy '*' "$url/__connectid/log" | grep -o '"call_id"' | wc -l; }

# STATUS WORDS TOKEN [URL]
ends() {
  local status=0 out
  out=$(CONNECTID_ACCESS_TOKEN=$3 "$example" "${@:4}" 2>&1) || status=$?
  ((status == $1)) || { echo "exit status $status, and not $1: $out" >&2; exit 1; }
  [[ $out == *"$2"* ]] || { echo "not \"$2\": $out" >&2; exit 1; }
}
ends 0 "started: call " test-token "$url"
ends 3 "HTTP 401" another-token "$url"
ends 2 "usage: " test-token
TZDIR=/nonexistent ends 2 "zone" test-token "$url"
(($(started) == 1)) || { echo "not started once" >&2; exit 1; }
kill "$server"
wait "$server" || { echo "the fake server did not end well" >&2; exit 1; }
ends 7 "not sent" test-token http://127.0.0.1:1  # and not at its port, which may be another's by now
