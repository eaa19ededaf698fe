"""A webhook receiver on this machine that verifies what it gets with the public library."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from scripts.receiving import receiving


class Receiver:
    """What was received and verified; `secret` is known once the endpoint is registered."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = 0
        self.secret = ""
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}/facequeue"

    def take(self, body: bytes, headers: dict[str, str]) -> bool:
        """Verify one delivery; whether its signature, time and body are what they should be."""
        try:
            Webhook(self.secret).verify(body, headers)
        except (WebhookVerificationError, ValueError):
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
def listening(port: int, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A receiver on a port of this machine, which webhooks must be allowed to reach."""
    receiver = Receiver(host)
    with receiving(receiver.take, port, host) as receiver.port:
        yield receiver
