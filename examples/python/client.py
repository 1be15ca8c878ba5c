#!/usr/bin/env python3
"""An interactive client: python3 client.py [HOST [PORT]]"""
import base64
import re
import sys

from blink import Blink, StoreError, address_from_environment

try:
    import readline  # noqa: F401  (line editing for input(), where Python has it)
except ImportError:
    pass


def shown(data):
    """Bytes as text for a terminal: what is not text, and control characters, escaped."""
    text = data.decode("utf-8", "backslashreplace")
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda found: "\\x%02x" % ord(found.group()), text)


def main():
    host, port = address_from_environment()
    host = sys.argv[1] if len(sys.argv) > 1 else host
    port = int(sys.argv[2]) if len(sys.argv) > 2 else port
    with Blink(host, port) as store:
        store.ask(b"PING")
        print("Connected to %s:%d" % (host, port))
        print("Commands: SET <key> <value> | GET <key> | DELETE <key> | USAGE | QUIT\n")
        while True:
            line = input("> ").rstrip("\r\n")
            if not line.strip():
                continue
            if line.strip().upper() == "QUIT":
                return
            reply = store.ask(line.encode("utf-8", "surrogateescape"))
            if reply.startswith(b"VALUE "):
                reply = base64.b64decode(reply[len(b"VALUE "):])
            print(shown(reply))


if __name__ == "__main__":
    try:
        main()
    except (EOFError, KeyboardInterrupt):
        print()
    except (StoreError, ValueError) as error:
        sys.exit(str(error))
