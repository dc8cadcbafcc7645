#!/bin/sh
# Calls a gateway as a server does, and then as a page does. It needs curl 7.76 or newer.
set -eu
: "${GATEWAY_URL:?}" "${GATEWAY_KEY:?}"
user=${1:-user_1}

# curl reads the credential from its stdin, because everybody on a machine sees the arguments of its programs.
call() {
  credential=$1 path=$2
  shift 2
  printf 'Authorization: Bearer %s\n' "$credential" | curl --silent --show-error --fail-with-body -H @- "$@" "$GATEWAY_URL$path"
}

# The first value of a member in an answer.
member() {
  tr -d '\n' | sed -n "s/[^}]*\"$1\": *\"\([^\"]*\)\".*/\1/p"
}

echo "The active connections of $user"
connections=$(call "$GATEWAY_KEY" /edge/connections --get -d status=active --data-urlencode "clientReferenceId=$user")
handle=$(printf %s "$connections" | grep -o '"handle": *"acct_[0-9a-f]*"' | head -n 1 | tr -d '"' | sed 's/.*: *//')
if [ -z "$handle" ]; then
  echo "There is none. Link an account first."
  exit 1
fi
echo "$handle"

echo "Its profile, with the gateway key"
call "$GATEWAY_KEY" /v2/access/self -H "x-connection-id: $handle"
echo

# The token opens only what this user may see, and expires. A page may have it.
session="{\"clientReferenceId\":\"$user\",\"permissions\":[\"profile:read\"]}"
token=$(call "$GATEWAY_KEY" /edge/sessions -H 'Content-Type: application/json' -d "$session" | member token)
echo "Its profile, with a session token"
call "$token" /v2/access/self -H "x-connection-id: $handle"
echo
