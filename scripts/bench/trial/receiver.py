"""A webhook receiver on this machine: verifies each delivery and counts it by its webhook-id."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from standardwebhooks import Webhook, WebhookVerificationError

from scripts.receiving import receiving


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

    @property
    def allowed(self) -> dict[str, str]:
        """The setting by which a stack's webhooks may reach it."""
        return {"WEBHOOK_ALLOWED_HOSTS": f"127.0.0.1:{self.port}"}

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
    with receiving(lambda body, headers: receiver.take(body.decode(), headers)) as receiver.port:
        yield receiver
