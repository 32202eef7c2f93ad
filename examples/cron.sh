#!/usr/bin/env bash
# cron.sh DIR [option of connectid start...]: starts the orders that lie in DIR/orders, and none of them twice.
#
#     */5 * * * *  . /etc/shop/connectid.env; /usr/local/bin/cron.sh /var/spool/shop --timeout 30s
#
# (connectid.env exports CONNECTID_ACCESS_TOKEN and its like, and a PATH that has connectid.)
#
# One file of JSON an order, moved into orders/ when it is whole: mv order-1001.json DIR/orders/. From there it goes to
# hold/ and, once an answer is certain, to started/ or refused/, or back. What stays in hold/ may have started: somebody
# looks; no program sends it again. What is printed, cron mails; the program's own words are in DIR/log.
set -euo pipefail
cd "$1"
mkdir -p orders hold started refused
exec 9>lock
flock --nonblock 9 || exit 0   # the run before is still at it
connectid --version >/dev/null  # not on cron's short PATH? Then end here, before anything is in hold/

for order in orders/*.json; do
  [[ -e $order ]] || break
  name=${order##*/}
  if [[ -e hold/$name || -e started/$name ]]; then
    echo "$name: one of this name is in hold/ or started/ already: not sent"
    continue
  fi
  mv "$order" hold/
  sync orders hold  # a power cut in the call must find it there

  status=0
  connectid start --json "hold/$name" "${@:2}" >>log 2>&1 || status=$?
  # docs: the rule
  case $status in
    0) mv "hold/$name" started/ ;;
    2 | 3) mv "hold/$name" refused/; echo "$name: not started; mend it: see log" ;;
    4 | 5 | 7) mv "hold/$name" orders/; echo "$name: not started; the next run tries again: see log"; break ;;
    *) echo "$name: MAY HAVE STARTED (status $status): look; it stays in hold/: see log" ;;
  esac
  # docs: end
done
