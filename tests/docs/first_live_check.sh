#!/usr/bin/env bash
# first_live_check.sh CONNECTID: the commands of docs/first-live-check.md, run against the program's own fake server.
set -uo pipefail
program=$(realpath "$1")
work=$(mktemp -d)
cd "$work" || exit 1

unset "${!CONNECTID_@}"  # nobody's own settings
export XDG_DATA_HOME=$work/data
exec {server}< <(exec "$program" fake-server)
server_id=$!
trap 'kill "$server_id"; rm -rf "$work"' EXIT

fail() { echo "line ${BASH_LINENO[1]}: $*" >&2; exit 1; }
expect() {  # STATUS [FILE TEXT]: what the command before this ended with, and what it left in a file
  local status=$?
  ((status == $1)) || fail "the status is $status and not $1"
  (($# == 1)) || grep -qF -- "$3" "$2" || fail "$2 does not hold $3: $(<"$2")"
}

connectid() { "$program" "$@"; }
read -r -u "$server" _ api
export CONNECTID_API_URL=$api CONNECTID_ACCESS_TOKEN=test-token no_proxy='*'

# docs: order
cat >order.json <<'END'
{"product": "CO27409", "copies": 1, "couponCode": "WMDigi", "couponNumber": 5223, "customerReference": "live-check-1"}
END
day=$(date --date='next month' +%F)
# docs: end

# docs: validate
connectid validate --json order.json --start-date "$day"
# docs: end
expect 0

# docs: start
connectid start --json order.json --start-date "$day" --output json >started.json
# docs: end
expect 0 started.json '"outcome":"started"'

# docs: list
printf 'Authorization: Bearer %s\n' "$CONNECTID_ACCESS_TOKEN" |
  curl --silent --include --header @- --header 'Accept: application/json' "$api/v1/subscription" >listed.txt
# docs: end
expect 0 listed.txt 'HTTP/1.1 200'

# docs: bad_request
printf 'Authorization: Bearer %s\n' "$CONNECTID_ACCESS_TOKEN" |
  curl --silent --include --header @- --header 'Accept: application/json' --header 'Content-Type: application/json' \
    --data '{}' "$api/v1/subscription" >bad_request.txt
# docs: end
expect 0 bad_request.txt 'HTTP/1.1 400'

# docs: no_such_product
connectid start --json order.json --start-date "$day" --product NO-SUCH --customer-reference live-check-2 \
  --output json >no_such_product.json
# docs: end
expect 0 no_such_product.json '"product":"NO-SUCH"'  # the fake server takes every product

# docs: wrong_token
CONNECTID_ACCESS_TOKEN=wrong-token connectid start --json order.json --start-date "$day" --output json >wrong_token.json
# docs: end
expect 4 wrong_token.json '"outcome":"rejected"'

curl --silent --fail "$api/__connectid/log" >log.json
expect 0 log.json '"bodies_received":4'
# Whoever looks at what was started can tell which command it was.
for reference in live-check-1 live-check-2; do
  started=$(grep -o '"started":.*' log.json | grep -o "\"customerReference\":\"$reference\"" | wc -l)
  ((started == 1)) || fail "$started subscriptions of $reference: $(<log.json)"
done
