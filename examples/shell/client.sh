#!/usr/bin/env bash
# An interactive client: client.sh [HOST [PORT]]

. "$(dirname "${BASH_SOURCE[0]}")/blink.sh"
BLINK_STORE=${1:-${BLINK_STORE%:*}}:${2:-${BLINK_STORE##*:}}

printf PING | blink_ask >/dev/null || exit 1
echo "Connected to $BLINK_STORE"
echo 'Commands: SET <key> <value> | GET <key> | DELETE <key> | USAGE | QUIT'
echo
while IFS= read -r -e -p '> ' line || [ -n "$line" ]; do
  read -r word rest <<<"$line"
  case $word in
    '') continue ;;
    [Qq][Uu][Ii][Tt]) exit 0 ;;
  esac
  reply=$(printf '%s' "$line" | blink_ask) || exit 1
  case $reply in
    'VALUE '*) reply=$(blink_value "$reply" | tr '\000' '?') ;;
  esac
  printf '%s\n' "${reply//[[:cntrl:]]/?}" # a control character never reaches the terminal
done
if [ -t 0 ]; then echo; fi
