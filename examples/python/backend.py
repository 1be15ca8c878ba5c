#!/usr/bin/env python3
"""An HTTP backend that keeps its data in a Blink Store.

    GET /KEY     200 with the value, or 404
    POST /KEY    204; the body is the value, up to 8 MiB

It listens on 127.0.0.1, at PORT (default 8080); the store is BLINK_STORE=HOST:PORT.
"""
import os
import re
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from urllib.parse import unquote_to_bytes

from blink import Blink, StoreError, StoreLost, address_from_environment, safe_key

BODY_BYTES_MAX = 8 * 1024 * 1024
store = Blink(*address_from_environment())


def twice(call, *arguments):
    """Calls again if a kept connection is lost; GET and a plain PUT may run twice."""
    try:
        return call(*arguments)
    except StoreLost:
        return call(*arguments)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds that a client may take to send

    def answer(self):
        # Read the body first: the next request of this connection starts after it.
        body, refusal = self.read_body()
        key = safe_key(unquote_to_bytes(self.path.partition("?")[0].strip("/").split("/")[0]))
        if refusal:
            return self.reply(*refusal)
        if not key:
            return self.reply(400, b"Missing key")
        if self.command not in ("GET", "POST"):
            return self.reply(405, b"Method not allowed")
        try:
            if self.command == "POST":
                twice(store.put, key, body)
                return self.reply(204, b"")
            value = twice(store.get, key)
        except (StoreError, ValueError):
            return self.reply(502, b"Store error")
        return self.reply(404, b"Not found") if value is None else self.reply(200, value)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = answer

    def read_body(self):
        """The body, or None and the answer that refuses it."""
        length = self.headers.get("Content-Length") or "0"
        if "Transfer-Encoding" in self.headers or not re.match("[0-9]{1,9}$", length):
            self.close_connection = True
            return None, (411, b"Length required")
        if int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            return None, (413, b"Body too large")
        body = self.rfile.read(int(length))
        if len(body) < int(length):  # the client went away: half a value must not be stored
            self.close_connection = True
            return None, (400, b"Body cut short")
        return body, None

    def reply(self, status, body):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Handler)
    print("HTTP backend on http://127.0.0.1:%d -> store %s:%d"
          % (server.server_address[1], *store.address), flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
