"""A webhook receiver on this machine that verifies what it gets with the public library."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError


class Receiver:
    """What was received and verified; `secret` is known once the endpoint is registered."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/facequeue"
        self.secret = ""
        self.refused = 0
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()

    def take(self, body: bytes, headers: dict[str, str]) -> bool:
        """Verify one delivery; whether its signature, time and body are what they should be."""
        try:
            Webhook(self.secret).verify(body, headers)
        except (WebhookVerificationError, ValueError):
            self.refused += 1
            return False
        self._events.put(json.loads(body))
        return True

    def wait_for(self, job_id: str, seconds: float) -> dict[str, Any] | None:
        """The verified event about a job, or none in that time."""
        try:
            while True:
                event = self._events.get(timeout=seconds)
                if job_id in json.dumps(event):
                    return event
        except queue.Empty:
            return None


@contextmanager
def listening() -> Iterator[Receiver]:
    """A receiver on a free port of the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            # The library looks names up in lower case.
            headers = {name.lower(): value for name, value in self.headers.items()}
            good = receiver.take(body, headers)
            self.send_response(HTTPStatus.NO_CONTENT if good else HTTPStatus.UNAUTHORIZED)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            """Say nothing: the terminal belongs to the demo."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
