#!/usr/bin/env bash
# Runs one command:
#
#     oneoff.sh SET KEY VALUE     store a value
#     oneoff.sh SET KEY < FILE    store what is read from standard input
#     oneoff.sh GET KEY           print a value and a line feed
#     oneoff.sh DELETE KEY        remove a key
#     oneoff.sh USAGE             print how many bytes the store holds
#
# Exit status: 0 success, 1 not found or the store failed, 2 invalid arguments.

. "$(dirname "${BASH_SOURCE[0]}")/blink.sh"

case $#:$1 in
  3:[Ss][Ee][Tt]) reply=$(printf '%s' "$3" | blink_put "$2") || exit ;;
  2:[Ss][Ee][Tt]) reply=$(blink_put "$2") || exit ;;
  2:[Gg][Ee][Tt]) reply=$(blink_get "$2") || exit ;;
  2:[Dd][Ee][Ll][Ee][Tt][Ee]) reply=$(blink_delete "$2") || exit ;;
  1:[Uu][Ss][Aa][Gg][Ee]) reply=$(printf USAGE | blink_ask) || exit ;;
  *)
    sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
case $reply in
  'VALUE '*) blink_value "$reply" && echo ;;
  OK | 'USAGE '*) printf '%s\n' "$reply" ;;
  *) printf '%s\n' "$reply" >&2 && exit 1 ;;
esac
