#!/usr/bin/env python3
"""Runs one command:

    oneoff.py SET KEY VALUE     store a value
    oneoff.py SET KEY < FILE    store what is read from standard input
    oneoff.py GET KEY           print a value and a line feed
    oneoff.py DELETE KEY        remove a key
    oneoff.py USAGE             print how many bytes the store holds

Exit status: 0 success, 1 not found or the store failed, 2 invalid arguments.
"""
import os
import sys

from blink import Blink, StoreError, address_from_environment


def run(store, verb, arguments):
    """Runs the command; returns the exit status, or None for invalid arguments."""
    if verb == "SET" and 1 <= len(arguments) <= 2:
        value = os.fsencode(arguments[1]) if len(arguments) == 2 else sys.stdin.buffer.read()
        store.put(arguments[0], value)
        print("OK")
        return 0
    if verb == "GET" and len(arguments) == 1:
        value = store.get(arguments[0])
        if value is None:
            print("NOT_FOUND", file=sys.stderr)
            return 1
        sys.stdout.buffer.write(value + b"\n")
        return 0
    if verb == "DELETE" and len(arguments) == 1:
        found = store.delete(arguments[0])
        print("OK" if found else "NOT_FOUND", file=sys.stdout if found else sys.stderr)
        return 0 if found else 1
    if verb == "USAGE" and not arguments:
        reply = store.ask(b"USAGE").decode()
        print(reply, file=sys.stderr if reply.startswith("ERROR ") else sys.stdout)
        return 1 if reply.startswith("ERROR ") else 0
    return None


def main():
    try:
        with Blink(*address_from_environment()) as store:
            status = run(store, "".join(sys.argv[1:2]).upper(), sys.argv[2:])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except StoreError as error:
        print(error, file=sys.stderr)
        return 1
    if status is None:
        print(__doc__, file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
