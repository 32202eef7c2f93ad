#!/usr/bin/env bash
# tour.sh: the program connectid at work against its own fake server; nothing leaves this machine. Each step says what
# it shows, and fails where that is not so. Needs curl.
set -euo pipefail

# STATUS ARGUMENT...: shows the command and its output, and checks its exit status.
show() {
  local expected=$1 status=0
  shift
  printf '$ connectid'
  printf ' %q' "$@"
  printf '\n'
  connectid "$@" || status=$?
  printf '[exit status %s]\n' "$status"
  ((status == expected)) || { echo "NOT as it should be: the exit status should be $expected" >&2; exit 1; }
}
title() { printf '\n== %s\n' "$*"; }

unset "${!CONNECTID_@}"  # nobody's own settings
XDG_DATA_HOME=$(mktemp -d)
export XDG_DATA_HOME
exec {lines}< <(exec connectid fake-server)
server=$!
trap 'kill -CONT $server; kill $server; rm -rf "$XDG_DATA_HOME"' EXIT
read -r _ url <&"$lines"
export CONNECTID_API_URL=$url CONNECTID_ACCESS_TOKEN=test-token
order=(--product CO27409 --start-date 2026-04-01 --copies 1 --coupon-code WMDigi --coupon-number 5223)
log() { curl --silent --fail --noproxy '*' "$url/__connectid/log"; }
started() { log | grep -o '"call_id"' | wc -l; }

title "What would be sent? (validate sends nothing)"
show 0 validate "${order[@]}"

title "Start it, at a fake server that this machine runs: $url"
show 0 start "${order[@]}" --customer-reference order-1001

title "Slips are caught before anything is sent: a code too long, seconds for milliseconds, a field left out"
show 2 start --product "ConnectID Weekly" --start-time 1774994400 --copies 1 --coupon-code WMDigi

title "The server refuses: nothing was started (here a URL that the server does not know), as text and as JSON"
show 3 start "${order[@]}" --api-url "$url/elsewhere"
show 3 start "${order[@]}" --api-url "$url/elsewhere" --output json

title "The server takes the order and never responds, as text and as JSON (3 seconds each)"
kill -STOP "$server"
show 6 start "${order[@]}" --customer-reference order-1002 --timeout 3s
show 6 start "${order[@]}" --customer-reference order-1003 --timeout 3s --output json

title "The server wakes up and finds both orders: it was right not to send them again"
kill -CONT "$server"
until (($(started) >= 3)); do sleep 0.1; done
log | grep -o '"customerReference":"[^"]*"' | sort
(($(started) == 3)) || { echo "NOT as it should be: $(log)" >&2; exit 1; }

printf '\nAll as it should be.\n'
