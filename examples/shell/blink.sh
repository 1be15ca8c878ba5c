# Functions to use a Blink Store from bash. They need no programs but base64, cat and tr.
# Load them with:  . ./blink.sh
#
# Each request has its own connection: the request, PING and QUIT are sent, the store answers
# the first two and closes. Keys and values that come from outside never become commands: line
# breaks are removed from every request, and values are sent in base64.

BLINK_STORE=${BLINK_STORE:-127.0.0.1:8765}
BLINK_TIMEOUT_SECONDS=${BLINK_TIMEOUT_SECONDS:-5}
BLINK_KEY_BYTES_MAX=65535

# blink_ask < REQUEST: sends the request on standard input, prints its reply line.
# Status 1 and a line on standard error if the store cannot be reached.
blink_ask() (
  host=${BLINK_STORE%:*} host=${host#[} host=${host%]}
  lost() {
    echo "Cannot reach the store at $BLINK_STORE" >&2
    exit 1
  }
  { exec 3<>"/dev/tcp/$host/${BLINK_STORE##*:}"; } 2>/dev/null || lost
  if [ -n "${BLINK_TOKEN:-}" ]; then
    printf 'AUTH %s' "$BLINK_TOKEN" | tr -d '\r\n' >&3
    printf '\n' >&3
    IFS= read -r -t "$BLINK_TIMEOUT_SECONDS" -u 3 reply || lost
    [ "$reply" = OK ] || { echo "$reply" && exit 0; }
  fi
  { tr -d '\r\n' && printf '\nPING\nQUIT\n'; } >&3 || lost
  IFS= read -r -n 1 -t "$BLINK_TIMEOUT_SECONDS" -u 3 first || lost
  reply=$first$(cat <&3)
  [ "${reply##*$'\n'}" = PONG ] || lost # without its PONG the reply may be cut short
  printf '%s\n' "${reply%$'\n'PONG}"
)

# blink_check_key KEY: status 2 and a line on standard error if it could not be one key.
blink_check_key() {
  local LC_ALL=C
  case $1 in
    '' | *[$' \t\r\n']*)
      echo "Cannot use this key: it is empty, or holds a blank or a line break" >&2
      return 2
      ;;
  esac
  [ ${#1} -le $BLINK_KEY_BYTES_MAX ] && return
  echo "Cannot use this key: it has more than $BLINK_KEY_BYTES_MAX bytes" >&2
  return 2
}

# blink_safe_key TEXT: prints a key for a text in which %XX stands for any byte, as in a URL.
# Visible ASCII but % stays as it is, every other byte becomes %XX, so each key has one spelling.
blink_safe_key() {
  local LC_ALL=C text=$1 key= byte code
  while [ -n "$text" ]; do
    if [[ $text =~ ^%([0-9A-Fa-f]{2}) ]]; then
      code=$((16#${BASH_REMATCH[1]}))
      text=${text:3}
    else
      printf -v code '%d' "'${text:0:1}"
      code=$((code & 255))
      text=${text:1}
    fi
    if ((code > 32 && code < 127 && code != 37)); then
      printf -v byte '%03o' "$code"
      printf -v byte "\\$byte"
    else
      printf -v byte '%%%02X' "$code"
    fi
    key+=$byte
  done
  printf '%s' "$key"
}

# blink_value REPLY: prints the bytes of the value in a reply VALUE base64.
blink_value() {
  printf '%s' "${1#VALUE }" | base64 -d
}

# blink_get KEY: prints the reply to GET: VALUE base64, NOT_FOUND or an ERROR.
blink_get() {
  blink_check_key "$1" && printf 'GET %s' "$1" | blink_ask
}

# blink_put KEY < VALUE: stores the bytes on standard input and prints the reply, OK or an ERROR.
blink_put() {
  blink_check_key "$1" && { printf 'PUT %s b64 ' "$1" && base64; } | blink_ask
}

# blink_delete KEY: prints the reply, OK, NOT_FOUND or an ERROR.
blink_delete() {
  blink_check_key "$1" && printf 'DELETE %s' "$1" | blink_ask
}
