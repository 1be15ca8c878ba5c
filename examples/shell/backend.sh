#!/usr/bin/env bash
# An HTTP backend that keeps its data in a Blink Store.
#
#     GET /KEY     200 with the value, or 404
#     POST /KEY    204; the body is the value, up to 8 MiB
#
# It listens on 127.0.0.1, at PORT (default 8080); the store is BLINK_STORE=HOST:PORT. socat
# listens, and runs this script with the word `answer` for each connection.

cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
. ./blink.sh
LC_ALL=C
BODY_BYTES_MAX=$((8 * 1024 * 1024))
LINE_BYTES_MAX=65536
CLIENT_TIMEOUT_SECONDS=30

# respond STATUS BYTES: the head of the answer; the body follows on standard output.
respond() {
  printf 'HTTP/1.1 %s\r\nConnection: close\r\n' "$1"
  case $1 in
    204*) ;;
    *) printf 'Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n' "$2" ;;
  esac
  printf 'X-Content-Type-Options: nosniff\r\n\r\n'
}

# refuse STATUS TEXT: the whole answer, and the end of this connection.
refuse() {
  respond "$1" ${#2}
  printf '%s' "$2"
  exit
}

# next_line: the next line of the request's head, in the variable line.
next_line() {
  IFS= read -r -t "$CLIENT_TIMEOUT_SECONDS" -n "$LINE_BYTES_MAX" line || exit 0
  line=${line%$'\r'}
}

# bytes_of BASE64: how many bytes it stands for.
bytes_of() {
  local padding=${1##*[!=]}
  echo $((${#1} / 4 * 3 - ${#padding}))
}

answer_get() {
  reply=$(blink_get "$1" 2>/dev/null)
  case $reply in
    NOT_FOUND) refuse '404 Not Found' 'Not found' ;;
    'VALUE '*)
      respond '200 OK' "$(bytes_of "${reply#VALUE }")"
      blink_value "$reply"
      ;;
    *) refuse '502 Bad Gateway' 'Store error' ;;
  esac
}

# The body's bytes pass through in base64: a variable of bash cannot hold a NUL.
answer_post() {
  local key=$1 length=$2 body
  body=$(head -c "$length" | base64 | tr -d '\n')
  [ "$(bytes_of "$body")" = "$length" ] || refuse '400 Bad Request' 'Body cut short'
  reply=$(printf 'PUT %s b64 %s' "$key" "$body" | blink_ask 2>/dev/null)
  [ "$reply" = OK ] || refuse '502 Bad Gateway' 'Store error'
  respond '204 No Content'
}

answer() {
  local method target path key length=0
  next_line
  read -r method target _ <<<"$line"
  while next_line && [ -n "$line" ]; do
    case $line in
      [Cc]ontent-[Ll]ength:*) length=${line#*:} length=${length//[[:blank:]]/} ;;
      [Tt]ransfer-[Ee]ncoding:*) refuse '411 Length Required' 'Length required' ;;
    esac
  done
  [[ $length =~ ^[0-9]{1,9}$ ]] || refuse '411 Length Required' 'Length required'
  length=$((10#$length))
  ((length <= BODY_BYTES_MAX)) || refuse '413 Content Too Large' 'Body too large'
  path=${target%%\?*}
  while [ "${path#/}" != "$path" ]; do path=${path#/}; done
  key=$(blink_safe_key "${path%%/*}")
  [ -n "$key" ] || refuse '400 Bad Request' 'Missing key'
  case $method in
    GET) answer_get "$key" ;;
    POST) answer_post "$key" "$length" ;;
    *) refuse '405 Method Not Allowed' 'Method not allowed' ;;
  esac
}

if [ "${1:-}" = answer ]; then
  answer
else
  PORT=${PORT:-8080}
  echo "HTTP backend on http://127.0.0.1:$PORT -> store $BLINK_STORE"
  export BLINK_STORE
  exec socat -T "$CLIENT_TIMEOUT_SECONDS" \
    "TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork,max-children=32" 'EXEC:./backend.sh answer'
fi
