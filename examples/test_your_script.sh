#!/usr/bin/env bash
# test_your_script.sh: how to test a script that calls connectid, here cron.sh beside it. Needs curl.
set -euo pipefail
cron=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/cron.sh
unset "${!CONNECTID_@}"  # nobody's own settings
work=$(mktemp -d)
export XDG_DATA_HOME=$work/data  # the pace of these calls is nobody else's
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
place() {  # NAME [TOKEN]: an order, and its customer's token before it
  printf '%s' "${2-test-token}" >"$work/tokens/$1"
  echo "$order" >"$work/orders/$1.json"
}
clear() { rm -f "$work"/{orders,sending,hold,started,refused,tokens}/*; }
says() {  # WORDS [OPTION...]: a run says so
  local said
  said=$("$cron" "$work" "${@:2}")
  [[ $said == *"$1"* ]] || fail "not \"$1\": $said"
}
# docs: the log
log() { curl --silent --fail --noproxy '*' "$url/__connectid/log"; }
started() { log | grep -o '"call_id"' | wc -l; }
# docs: end

echo "the first run makes the directories, and the tokens are for nobody else's eyes"
"$cron" "$work"
has orders '*'
[[ $(stat --format %a "$work/tokens") == 700 ]] || fail "others can read tokens/"

echo "an order is started once, under the id that the log has"
place 1001
"$cron" "$work"
has started 1001.json
(($(started) == 1)) || fail "not started once: $(log)"
id=$(sed -n 's/.* 1001.json call //p' "$work/log")
[[ -n $id && $(log) == *"\"call_id\":\"$id\""* ]] || fail "call id $id: $(log)"

echo "an order of the same name is not sent"
place 1001
says '1001.json: not sent: one of its name'
(($(started) == 1)) || fail "started again: $(log)"
rm "$work/orders/1001.json"

# docs: a lost response
echo "no response comes: the order is held, and never sent again"
place 1002
kill -STOP "$server"  # it takes the connection and says nothing
says '1002.json: MAY HAVE STARTED (status 6)' --timeout 5s
kill -CONT "$server"
has hold 1002.json
"$cron" "$work"
until (($(started) >= 2)); do sleep 0.1; done  # it had started
# docs: end
(($(log | grep -o '"path":"/v1/subscription"' | wc -l) == 2)) || fail "sent again: $(log)"
has hold 1002.json

echo "each order goes with its own token, and a bad one is not in the way of the others"
clear
place 1003 a-bad-token
place 1004
place 1005
rm "$work/tokens/1004"
place 1006 $'\n'
place 1007
says '1004.json: not sent: no token'
has refused 1003.json
has orders '1004.json 1006.json'
has started '1005.json 1007.json'
(($(started) == 4)) || fail "not two more: $(log)"

echo "an order that is not valid is refused; a slip in the configuration is no order's fault"
clear
place 1008
echo '{"product":"CO27409"}' >"$work/orders/1008.json"
place 1009
place 1010
says '1009.json: not started; the next run' --timeout 30
CONNECTID_ENVIRONMENT='' says '1009.json: not started; the next run'
has refused 1008.json
has orders '1009.json 1010.json'

echo "help that is asked for ends with 0, and must not look like a start"
for help in --help -h -hx; do
  if "$cron" "$work" "$help"; then fail "cron.sh takes $help"; fi
done
has orders '1009.json 1010.json'

echo "an order whose name cannot be in a call id is not sent, and not in the way"
clear
place 'order 1'
place 1011
says 'order 1.json: not sent: its name'
has orders 'order 1.json'
has started 1011.json

echo "an order that is not there any more is not in the way"
clear
ln -s nowhere "$work/orders/1012.json"
place 1013
"$cron" "$work"
has started 1013.json

# From here on, a connectid that ends as it is told.
mkdir "$work/bin"
cat >"$work/bin/connectid" <<'END'
#!/bin/sh
case $1 in
  --version) exit ;;
  validate) exit "${VALID:-0}" ;;
esac
grep -q " ${3#sending/} call $5\$" log || exit 99  # start --json sending/NAME --call-id ID
echo "$3" >>calls
[ -z "$COMES" ] || echo "another order" >"$COMES"  # while the call is under way
[ -z "$SIGNAL" ] || kill -s "$SIGNAL" "$PPID"
exit "$STATUS"
END
chmod +x "$work/bin/connectid"
PATH=$work/bin:$PATH

echo "each exit status puts the order where it belongs, and ends the run or does not"
while read -r status directory calls; do
  clear
  : >"$work/calls"
  place 1
  place 2
  STATUS=$status "$cron" "$work" >/dev/null
  has "$directory" '1.json 2.json'
  (($(wc -l <"$work/calls") == calls)) || fail "status $status: not $calls calls"
done <<'END'
0 started 2
1 hold 2
2 orders 1
3 refused 2
4 refused 2
5 orders 1
6 hold 2
7 orders 1
124 hold 2
127 hold 2
137 hold 2
END

echo "a run that is killed: the next one says so, once, and sends nothing"
clear
: >"$work/calls"
place 1
if SIGNAL=KILL STATUS=0 "$cron" "$work"; then fail "it was not killed"; fi
has sending 1.json
flock "$work/lock" true  # until its connectid has ended, too
STATUS=0 says '1.json: MAY HAVE STARTED (the run before'
has hold 1.json
[[ -z $(STATUS=0 "$cron" "$work") ]] || fail "said twice"
has hold 1.json
(($(wc -l <"$work/calls") == 1)) || fail "sent again"

echo "a run that is told to end puts the order under way where it belongs, and begins no other"
clear
place 1
place 2
SIGNAL=TERM STATUS=0 "$cron" "$work"
has started 1.json
has orders 2.json

echo "an order that was not checked stays"
clear
place 1
VALID=1 STATUS=0 says 'validate ended with 1'
has orders 1.json

echo "no order is written over another"
while read -r status comes; do
  clear
  place 1
  STATUS=$status COMES=$comes/1.json says '1.json: STAYS in sending/'
  grep -q 'another order' "$work/$comes/1.json" || fail "$comes/1.json was replaced"
  grep -q CO27409 "$work/sending/1.json" || fail "the order is lost"
done <<'END'
0 started
3 refused
6 hold
7 orders
END
for directory in hold started refused; do
  clear
  place 1
  echo 'another order' >"$work/$directory/1.json"
  STATUS=0 says '1.json: not sent: one of its name'
  has orders 1.json
  grep -q 'another order' "$work/$directory/1.json" || fail "$directory/1.json was replaced"
done

echo "without the program, nothing is touched"
clear
place 1
printf '#!/bin/sh\nexit 127\n' >"$work/bin/connectid"
if "$cron" "$work"; then fail "cron.sh did not miss the program"; fi
has orders 1.json

echo "while one run is at it, another does nothing"
flock "$work/lock" "$cron" "$work"
has orders 1.json
