"""The receiver in docs/webhooks.md works as it stands, and the page's numbers are the code's."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from app.domain.actor import SYSTEM
from app.domain.states import EndpointState
from app.domain.webhooks import ATTEMPT_GAPS, JITTER
from app.services.webhooks.replay_delivery import replay_delivery

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
UNITS = {"s": "seconds", "min": "minutes", "h": "hours"}


class Documented:
    """The page's receiver, served for real."""

    def __init__(self) -> None:
        [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
        self.lines = [line for line in code.splitlines() if line]
        self.code = compile(code, "docs/webhooks.md", "exec")
        self.port = 0
        self._server: Any = None

    def start(self) -> str:
        """Take a port; the secret is known only when the endpoint is."""
        self._server = make_server("127.0.0.1", 0, self._serve)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.port = self._server.server_port
        return f"http://127.0.0.1:{self.port}/hook"

    def _serve(self, *request: Any) -> Any:
        return self._app(*request)

    def load(self) -> None:
        """Run the page's code; it reads WEBHOOK_SECRET."""
        names: dict[str, Any] = {"__name__": "receiver"}
        exec(self.code, names)  # noqa: S102 - the page's code is what is tested
        self._app = names["app"]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _registered(sender: Any, documented: Documented) -> Any:
    url = documented.start()
    sender.allow(f"127.0.0.1:{documented.port}")
    return sender.endpoint(url)


@pytest.fixture
def documented() -> Iterator[Documented]:
    receiver = Documented()
    yield receiver
    receiver.stop()


def test_the_documented_receiver_takes_an_event_once_and_answers_every_attempt(
    sender: Any,
    documented: Documented,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    endpoint, secret = _registered(sender, documented)
    monkeypatch.setenv("WEBHOOK_SECRET", secret)
    documented.load()
    event = sender.event(endpoint, dt.datetime.now(dt.UTC))

    sender.deliver(event)
    replay_delivery(sender.tenant_id, endpoint, event, SYSTEM)
    sender.deliver(event)

    assert [attempt.status_code for attempt in sender.attempts(event)] == [204, 204]
    assert capsys.readouterr().out.count("job.succeeded {'state': 'succeeded'}") == 1


def test_the_documented_receiver_refuses_what_another_secret_signed(
    sender: Any, documented: Documented, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = _registered(sender, documented)
    monkeypatch.setenv("WEBHOOK_SECRET", "whsec_" + "A" * 44)
    documented.load()
    event = sender.event(endpoint, dt.datetime.now(dt.UTC))

    sender.deliver(event)

    [attempt] = sender.attempts(event)
    assert (attempt.status_code, attempt.response_excerpt) == (401, "not from FaceQueue")


def test_the_documented_receiver_is_short() -> None:
    assert len(Documented().lines) <= 15


def test_the_documented_gaps_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (\d+) \| (\d+) (s|min|h) \|$", PAGE, re.MULTILINE)

    assert [int(number) for number, _, _ in rows] == list(range(1, len(ATTEMPT_GAPS) + 1))
    assert (
        tuple(dt.timedelta(**{UNITS[unit]: int(amount)}) for _, amount, unit in rows)
        == ATTEMPT_GAPS
    )
    assert f"up to {JITTER:.0%} either way".replace("%", " %") in PAGE


def test_the_documented_states_are_those_of_the_code() -> None:
    assert all(f"`{state}`" in PAGE for state in EndpointState)
