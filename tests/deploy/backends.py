"""What stands behind a proxy in a test: servers that tell what they were asked, or misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455


class Backend(ThreadingHTTPServer):
    """A server that keeps a line for each request that reached it, such as `POST /path`."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.seen: list[str] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Says nothing: clients that vanish are what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Backend

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _take(self) -> None:
        self.server.seen.append(f"{self.command} {self.path}")
        self.rfile.read(int(self.headers["Content-Length"] or 0))


class Telling(_Handler):
    """Answers with the path and headers that it was asked; below /ws/ it echoes one message."""

    def do_GET(self) -> None:
        self._take()
        if self.headers["Upgrade"] == "websocket":
            self._echo()
            return
        body = json.dumps({"path": self.path, "headers": dict(self.headers)}).encode()
        self.send_response(200)
        for name in ("Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options"):
            self.send_header(name, "of the API")
        self.send_header("X-Request-Id", self.headers["X-Request-Id"])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.path.endswith("/docs"):
            self.send_header("Content-Security-Policy", "its own")
        if "/assets/" in self.path:
            self.send_header("Cache-Control", "public, max-age=60")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - http.server's name

    def _echo(self) -> None:
        key = self.headers["Sec-WebSocket-Key"].encode()
        accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET).digest())  # noqa: S324 - RFC 6455
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept.decode())
        self.end_headers()
        head = self.rfile.read(2)
        mask, data = self.rfile.read(4), self.rfile.read(head[1] & 0x7F)
        said = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        self.wfile.write(bytes([head[0], len(said)]) + said)
        self.close_connection = True


class Dying(_Handler):
    """Reads a request and cuts the connection, as a process that is killed amid it. It is ready."""

    def do_GET(self) -> None:
        if self.path.startswith("/health/"):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._take()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    do_POST = do_GET  # noqa: N815 - http.server's name


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[Backend]:
    """A backend at a free port, until the block ends."""
    with Backend(handler) as backend:
        threading.Thread(target=backend.serve_forever, daemon=True).start()
        yield backend
        backend.shutdown()
