"""A gateway in front of a node: it wants a key, counts what is asked, and fails when it is told to.

Hosted nodes have their key in the URL's path, which anvil does not know.
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

SECRET = "SECRETKEY0123456789"
_PATH = f"/v3/{SECRET}"
_AUTHORIZATION = "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode()
Failure = Literal["silent", "refuses"]


class Gateway:
    """Use `gateway`. `asked` counts JSON-RPC methods, `exchanges` HTTP requests."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream).netloc
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._failure: Failure | None = None
        self._left = 0
        self.asked: Counter[str] = Counter()
        self.exchanges = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        """The address with the key in it."""
        return f"http://user:{SECRET}@127.0.0.1:{self.server.server_port}{_PATH}"

    def fail(self, failure: Failure, after: int = 0) -> None:
        """Answers so many more exchanges, then none."""
        self._failure, self._left = failure, after

    def recover(self) -> None:
        """Answers again, and counts from zero."""
        self._failure = None
        self.asked.clear()
        self.exchanges = 0

    def close(self) -> None:
        """Ends, and lets go of whoever waits."""
        self._over.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path: str, authorization: str | None, body: bytes) -> tuple[int, bytes]:
        """Status and body of one exchange."""
        if path != _PATH or authorization != _AUTHORIZATION:
            return 404, b"no such key"
        with self._lock:
            if self._failure is not None and self._left == 0:
                failing = self._failure
            else:
                self._left -= 1
                failing = None
                self.exchanges += 1
                calls = json.loads(body)
                calls = calls if isinstance(calls, list) else [calls]
                self.asked.update(call["method"] for call in calls)
        if failing == "silent":
            self._over.wait(60)
        if failing is not None:
            return 403, b"the key is used up"
        upstream = http.client.HTTPConnection(self._upstream, timeout=30)
        upstream.request("POST", "/", body, {"Content-Type": "application/json"})
        response = upstream.getresponse()
        return response.status, response.read()


def _handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, said = gateway.answer(self.path, self.headers["Authorization"], body)
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)
            except OSError:
                pass  # whoever asked has gone

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextmanager
def gateway(upstream: str) -> Iterator[Gateway]:
    """A gateway on a port of its own."""
    running = Gateway(upstream)
    threading.Thread(target=running.server.serve_forever, daemon=True).start()
    try:
        yield running
    finally:
        running.close()
