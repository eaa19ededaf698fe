"""A local receiver of webhooks, for the demo and the trials."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def receiving(
    take: Callable[[bytes, dict[str, str]], bool], port: int = 0, host: str = "127.0.0.1"
) -> Iterator[int]:
    """Serve on a port of this machine, a free one if 0, while the block runs; yields it.

    `take` gets each body and its headers, names in lower case as the verifier looks them up;
    what it accepts is answered with 204, the rest with 401.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            good = take(body, headers)
            self.send_response(HTTPStatus.NO_CONTENT if good else HTTPStatus.UNAUTHORIZED)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            """Say nothing: the terminal belongs to the program around it."""

    server = ThreadingHTTPServer((host, port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
