#!/usr/bin/env bash
# readme.sh: the README's command lines, as they stand there, at a fake server.
set -euo pipefail
unset "${!CONNECTID_@}"  # nobody's own settings
XDG_DATA_HOME=$(mktemp -d)
export XDG_DATA_HOME
exec {lines}< <(exec connectid fake-server)
server=$!
trap 'kill "$server"; rm -rf "$XDG_DATA_HOME"' EXIT
read -r _ url <&"$lines"
export CONNECTID_API_URL=$url CONNECTID_ACCESS_TOKEN=test-token

# docs: start
connectid start --product CO27409 --start-date 2026-04-01 --copies 1 --coupon-code WMDigi --coupon-number 5223
# docs: end

log=$(curl --silent --fail --noproxy '*' "$url/__connectid/log")
[[ $log == *'"bodies_received":1,'* && $log == *'"started":[{"account":"test",'* ]] || { echo "not started once: $log"; exit 1; }
