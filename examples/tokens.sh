#!/usr/bin/env bash
# tokens.sh: who is logged in, and whose subscription a start is, at a fake server of this machine's.
set -euo pipefail

unset "${!CONNECTID_@}"  # nobody's own settings
XDG_DATA_HOME=$(mktemp -d)
export XDG_DATA_HOME
exec {lines}< <(exec connectid fake-server)
server=$!
trap 'kill $server; rm -rf "$XDG_DATA_HOME"' EXIT
read -r _ url <&"$lines"
export CONNECTID_API_URL=$url CONNECTID_LOGIN_URL=$url
printf test-secret >"$XDG_DATA_HOME/secret"
printf test-refresh-token >"$XDG_DATA_HOME/refresh-token"
secrets=$XDG_DATA_HOME

# docs: tokens
export CONNECTID_CLIENT_ID=test-client CONNECTID_CLIENT_SECRET_FILE=$secrets/secret

connectid token import --account anna <"$secrets/refresh-token" # a customer's refresh token, kept under a name
connectid login --client-credentials --account shop             # the client's own
connectid accounts                                              # who is logged in; no token is printed

connectid start --account anna \
  --product CO27409 --start-date 2026-04-01 --copies 1 --coupon-code WMDigi --coupon-number 5223

token=$(connectid token --account shop)                         # for other programs; good now
connectid token --renew-all                                     # from cron: no customer is idle for 30 days
connectid logout --account shop
# docs: end

[[ $token == canary-access-* ]] || { echo "NOT as it should be: no token" >&2; exit 1; }
[[ $(connectid accounts) == anna* ]] || { echo "NOT as it should be: $(connectid accounts)" >&2; exit 1; }
