"""A webhook receiver on this machine: verifies each delivery and counts it by its webhook-id."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError


class Receiver:
    """What has arrived so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: list[str] = []
        self._by_id: Counter[str] = Counter()
        self._jobs: Counter[str] = Counter()
        self.unverified = 0
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    def trust(self, secret: str) -> None:
        """Accept deliveries signed with this secret."""
        with self._lock:
            self._secrets.append(secret)

    @property
    def jobs(self) -> Counter[str]:
        """How many different deliveries each job got."""
        with self._lock:
            return Counter(self._jobs)

    def repeats(self) -> int:
        """Deliveries that arrived again after they had been accepted."""
        with self._lock:
            return sum(count - 1 for count in self._by_id.values())

    def take(self, body: str, headers: dict[str, str]) -> bool:
        """Count a delivery; whether its signature holds."""
        with self._lock:
            event = next((e for s in self._secrets if (e := _verified(s, body, headers))), None)
            if event is None:
                self.unverified += 1
                return False
            name = headers["webhook-id"]
            self._by_id[name] += 1
            if self._by_id[name] == 1:
                self._jobs[event] += 1
            return True


def _verified(secret: str, body: str, headers: dict[str, str]) -> str | None:
    """The job that a delivery is about; None when the signature is not this secret's."""
    try:
        event = Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return None
    return str(event["data"]["job_id"])


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """A receiver on a free port, for as long as the block runs."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(204 if receiver.take(body, headers) else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing: a trial has its own report."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
