"""A connection to a Blink Store: one request per line, one reply per line, in order.

Needs Python 3.6 or later and nothing else. Keys and values that come from outside never become
commands: a request that holds a line break is refused, and values are sent in base64.
"""
import base64
import os
import re
import socket
import threading

KEY_BYTES_MAX = 65535
UNSAFE_IN_KEYS = re.compile(rb"[^!-$&-~]")


class StoreError(Exception):
    """The store answered with an ERROR, or with something this program does not know."""


class StoreLost(StoreError):
    """The store cannot be reached, closed the connection, or did not answer in time."""


def address_from_environment():
    """HOST and PORT as BLINK_STORE=HOST:PORT gives them, else 127.0.0.1 and 8765."""
    host, _, port = os.environ.get("BLINK_STORE", "127.0.0.1:8765").rpartition(":")
    return host.strip("[]"), int(port)


def check_key(key):
    """The bytes of a key, or ValueError if the store could not take it as one key."""
    key = key.encode("utf-8", "surrogateescape") if isinstance(key, str) else key
    if not 1 <= len(key) <= KEY_BYTES_MAX:
        raise ValueError("Cannot use this key: it must have 1 to %d bytes" % KEY_BYTES_MAX)
    if re.search(rb"[ \t\r\n]", key):
        raise ValueError("Cannot use this key: it holds a blank or a line break")
    return key


def safe_key(raw):
    """A key for any bytes: visible ASCII but % stays as it is, every other byte becomes %XX."""
    return UNSAFE_IN_KEYS.sub(lambda found: b"%%%02X" % found.group()[0], raw)


class Blink:
    """One connection, opened by the first request and kept; threads may share it.

    After a lost connection the next request opens a new one.
    """

    def __init__(self, host="127.0.0.1", port=8765, timeout_seconds=5.0, token=None):
        self.address = (host, port)
        self.timeout_seconds = timeout_seconds
        self.token = token if token is not None else os.environ.get("BLINK_TOKEN", "")
        self._lock = threading.Lock()
        self._socket = None
        self._replies = None

    def ask(self, line):
        """Sends one request (bytes) and returns its reply line (bytes)."""
        if b"\n" in line or b"\r" in line:
            raise ValueError("Cannot send a request that holds a line break")
        with self._lock:
            try:
                if self._socket is None:
                    self._connect()
                return self._exchange(line)
            except OSError as error:
                self._disconnect()
                raise StoreLost("Cannot reach the store at %s:%d: %s" % (*self.address, error))

    def get(self, key):
        """The value's bytes, or None if there is no such key."""
        reply = self.ask(b"GET " + check_key(key))
        if reply == b"NOT_FOUND":
            return None
        if reply.startswith(b"VALUE "):
            return base64.b64decode(reply[len(b"VALUE "):])
        raise StoreError(reply.decode("utf-8", "replace"))

    def put(self, key, value):
        """Stores any bytes: line breaks, NUL and all."""
        reply = self.ask(b"PUT %s b64 %s" % (check_key(key), base64.b64encode(value)))
        if reply != b"OK":
            raise StoreError(reply.decode("utf-8", "replace"))

    def delete(self, key):
        """True if the key was there."""
        reply = self.ask(b"DELETE " + check_key(key))
        if reply not in (b"OK", b"NOT_FOUND"):
            raise StoreError(reply.decode("utf-8", "replace"))
        return reply == b"OK"

    def close(self):
        with self._lock:
            self._disconnect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _connect(self):
        self._socket = socket.create_connection(self.address, self.timeout_seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._replies = self._socket.makefile("rb")
        if self.token:
            reply = self._exchange(b"AUTH " + check_key(self.token))
            if reply != b"OK":
                self._disconnect()
                raise StoreError(reply.decode("utf-8", "replace"))

    def _exchange(self, line):
        self._socket.sendall(line + b"\n")
        # A reply is as long as its value: read to its line feed, not to the end of one packet.
        reply = self._replies.readline()
        if not reply.endswith(b"\n"):
            raise ConnectionError("the connection was closed")
        return reply[:-1]

    def _disconnect(self):
        if self._socket is not None:
            self._replies.close()
            self._socket.close()
        self._socket = self._replies = None
