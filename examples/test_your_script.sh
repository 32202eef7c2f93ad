#!/usr/bin/env bash
# test_your_script.sh: how to test a script that calls connectid, here cron.sh beside it. Needs curl.
set -euo pipefail
cron=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/cron.sh
work=$(mktemp -d)
fail() { echo "FAILED: $*" >&2; exit 1; }
has() { [[ $(cd "$work/$1" && echo *) == "$2" ]] || fail "$1/ holds $(ls "$work/$1"), and not $2"; }

# docs: a server
exec {lines}< <(exec connectid fake-server)
server=$!
trap 'kill -CONT $server; kill $server; rm -rf "$work"' EXIT
read -r _ url <&"$lines"  # "listening http://127.0.0.1:PORT", once it accepts
export CONNECTID_API_URL=$url CONNECTID_ACCESS_TOKEN=test-token
# docs: end

order='{"product":"CO27409","startTime":1774994400000,"copies":1,"couponCode":"WMDigi","couponNumber":5223}'
mkdir -p "$work/orders"
# docs: the log
log() { curl --silent --fail --noproxy '*' "$url/__connectid/log"; }
started() { log | grep -o '"call_id"' | wc -l; }
# docs: end

echo "an order is started once"
echo "$order" >"$work/orders/1001.json"
"$cron" "$work"
has started 1001.json
(($(started) == 1)) || fail "not started once: $(log)"

echo "an order of the same name is not sent"
echo "$order" >"$work/orders/1001.json"
"$cron" "$work" | grep -q '1001.json: one of this name' || fail "nothing was said"
(($(started) == 1)) || fail "started again: $(log)"
rm "$work/orders/1001.json"

# docs: a lost answer
echo "no answer comes: the order is held, and never sent again"
echo "$order" >"$work/orders/1002.json"
kill -STOP "$server"  # it takes the connection and says nothing
"$cron" "$work" --timeout 5s | grep -q '1002.json: MAY HAVE STARTED (status 6)' || fail "not held"
kill -CONT "$server"
has hold 1002.json
"$cron" "$work"
until (($(started) >= 2)); do sleep 0.1; done  # it had started
# docs: end
(($(log | grep -o '"path":"/v1/subscription"' | wc -l) == 2)) || fail "sent again: $(log)"
has hold 1002.json

echo "each exit status puts the order where it belongs"
mkdir "$work/bin"
cat >"$work/bin/connectid" <<'END'
#!/bin/sh
[ "$1" = --version ] || exit "$STATUS"
END
chmod +x "$work/bin/connectid"
while read -r status place; do
  rm -f "$work"/{orders,hold,started,refused}/*
  echo "$order" >"$work/orders/1.json"
  STATUS=$status PATH=$work/bin:$PATH "$cron" "$work" >/dev/null
  has "$place" 1.json
done <<'END'
0 started
1 hold
2 refused
3 refused
4 orders
5 orders
6 hold
7 orders
124 hold
127 hold
137 hold
END

echo "without the program, nothing is touched"
rm -f "$work"/hold/*
echo "$order" >"$work/orders/1.json"
printf '#!/bin/sh\nexit 127\n' >"$work/bin/connectid"
if PATH=$work/bin:$PATH "$cron" "$work"; then fail "cron.sh did not miss the program"; fi
has orders 1.json

echo "while one run is at it, another does nothing"
rm -f "$work"/{orders,hold}/*
echo "$order" >"$work/orders/1003.json"
flock "$work/lock" "$cron" "$work"
has orders 1003.json
