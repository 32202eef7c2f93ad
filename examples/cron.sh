#!/usr/bin/env bash
# cron.sh DIR [option of connectid start...]: starts the orders that lie in DIR/orders, and none of them twice.
#
#     */5 * * * *  . /etc/shop/connectid.env; /usr/local/bin/cron.sh /var/spool/shop --timeout 30s
#
# (connectid.env exports CONNECTID_ENVIRONMENT and its like, and a PATH that has connectid.)
#
# One file of JSON an order, with every field that it needs, moved into orders/ when it is whole: mv order-1001.json
# DIR/orders/. Before it comes its customer's access token, in tokens/order-1001, for nobody else's eyes. From orders/
# it goes to sending/ and, once a response is certain, to started/ or refused/, or back; without one, to hold/. What is
# in hold/ may have started: somebody verifies that, and no program sends it again. What is
# printed, cron mails; the log has each call's id, and the program's own words.
set -euo pipefail
export LC_ALL=C
unset CONNECTID_ACCESS_TOKEN    # a token is one customer's: not for every order
for option in "${@:2}"; do
  [[ ! $option =~ ^-h|^--(help|version|json|call-id)(=|$) ]] || { echo "$option is not for cron.sh"; exit 2; }
done
cd "$1"
mkdir -p orders sending hold started refused
mkdir -p -m 700 tokens
exec 9>lock
flock --nonblock 9 || exit 0    # the run before is still at it, or a connectid that outlived it
connectid --version >/dev/null  # not on cron's short PATH? Then end here, before anything is moved

say() { echo "$name: $*"; }
put() {  # FROM TO: the order goes there, but over no other
  mv -n "$1/$name" "$2/" || true
  [[ ! -e $1/$name ]] || say "STAYS in $1/: there is one of its name in $2/"
}

for order in sending/*.json; do
  [[ -e $order ]] || continue
  name=${order##*/}
  say "MAY HAVE STARTED (the run before left it in sending/): verify; it goes to hold/: see log"
  put sending hold
done

told=0
trap 'told=1' INT TERM HUP  # the order under way is put where it belongs, and no other begins
for order in orders/*.json; do
  ((told == 0)) || break
  [[ -e $order ]] || continue
  name=${order##*/}
  token=tokens/${name%.json}
  [[ $name =~ ^[A-Za-z0-9._-]{1,100}$ ]] || { say "not sent: its name cannot be in a call id"; continue; }
  [[ ! -e hold/$name && ! -e started/$name && ! -e refused/$name ]] ||
    { say "not sent: one of its name is in hold/, started/ or refused/ already"; continue; }
  grep -qs "[[:graph:]]" "$token" || { say "not sent: no token in $token"; continue; }

  status=0
  connectid validate --json "$order" >>log 2>&1 || status=$?
  ((status != 2)) || { put orders refused; say "not valid; fix it: see log"; continue; }
  ((status == 0)) || { say "connectid validate ended with $status: see log"; break; }

  put orders sending
  [[ ! -e $order ]] || continue
  id=$name.$(date -u +%Y%m%dT%H%M%SZ)
  echo "$(date -u +%FT%TZ) $name call $id" >>log
  sync orders sending log  # a power cut in the call must find all this there
  CONNECTID_ACCESS_TOKEN_FILE=$token connectid start --json "sending/$name" --call-id "$id" "${@:2}" >>log 2>&1 ||
    status=$?
  # docs: the rule
  case $status in
    0) put sending started ;;
    3 | 4) put sending refused; say "not started; fix it (4: its token) and put it back (status $status): see log" ;;
    2 | 5 | 7) put sending orders; say "not started; the next run tries again (status $status): see log"; break ;;
    *) say "MAY HAVE STARTED (status $status): verify; it goes to hold/: see log"; put sending hold ;;
  esac
  # docs: end
done
