"""Every query of every dashboard and rule meets a real series, scraped from a running stack."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
import yaml
from flask import Flask

from app.domain.item_errors import ImageNotFound
from app.services.leases.pause_source import pause_source, resume_source
from scripts.receiving import receiving
from scripts.stack.state import State
from tests.deploy.programs import needs
from tests.deploy.watched_stack import FOLDER, JOBS, PROGRAMS, Watched, watched
from tests.support.processes import Processes, wait_until

pytestmark = [needs(*PROGRAMS), pytest.mark.xdist_group("watched"), pytest.mark.slow]

_COMPARISON = re.compile(r" (?:==|<|>) | unless on \(\w+\) ")
_BUCKET = "bucket-that-is-away"


def _panels() -> dict[str, str]:
    """Every query by its dashboard, panel and letter, with Grafana's variables filled in."""
    found = {}
    for path in sorted((FOLDER / "grafana/dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                name = f"{path.stem}: {panel['title']} {target['refId']}"
                expression = target["expr"].replace("$__rate_interval", "1m")
                found[name] = expression.replace("$client", ".*")
    return found


def _vectors(expression: str) -> list[str]:
    """What a rule compares: the parts of it between comparisons outside all brackets."""
    text, depth, cuts = " ".join(expression.split()), 0, [0]
    for place, letter in enumerate(text):
        depth += (letter in "({[") - (letter in ")}]")
        if not depth and (found := _COMPARISON.match(text, place)):
            cuts += [place, found.end()]
    parts = [text[a:b] for a, b in zip(cuts[::2], [*cuts[1::2], len(text)], strict=True)]
    return [
        re.sub(r"^absent\((.*)\)$", r"\1", part)
        for part in parts
        if not re.fullmatch(r"[\d. *]+", part)
    ]


def _rules() -> dict[str, str]:
    groups = yaml.safe_load((FOLDER / "alert_rules.yml").read_text())["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


class _Client:
    def __init__(self, environment: dict[str, str]) -> None:
        self.url = f"{environment['FACEQUEUE_URL']}/api/v1"
        self.bucket = environment["AWS_STORAGE_BUCKET_NAME"]
        self._key = {"Authorization": f"Bearer {environment['FACEQUEUE_API_KEY']}"}

    def post(self, path: str, **arguments: Any) -> Any:
        headers = self._key | arguments.pop("headers", {})
        answer = requests.post(f"{self.url}{path}", headers=headers, timeout=90, **arguments)
        assert answer.ok, answer.text
        return answer.json()

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", headers=self._key, timeout=30)

    def work(self, portrait: Path) -> None:
        """A job that enrols a face and fails for another image, and waits for its end."""
        with portrait.open("rb") as file:
            image = self.post("/images", files={"file": file})["id"]
        collection = self.post("/collections", json={"name": f"watched {time.time()}"})["id"]
        missing = f"s3://{self.bucket}/nothing.jpg"
        items = [
            {"custom_id": "a", "image_id": image, "subject": "someone"},
            {"custom_id": "b", "image": missing, "subject": "someone"},
        ]
        job = {"operation": "enrol", "collection_id": collection, "items": items}
        ended = self.post("/jobs", json=job, headers={"Prefer": "wait=60"})
        assert ended["counts"]["succeeded"] == 1
        assert ended["errors_by_code"] == {ImageNotFound.code: 1}

    def leave_waiting(self) -> None:
        item = {"custom_id": "a", "image": f"s3://{self.bucket}/nothing.jpg"}
        self.post("/jobs", json={"operation": "detect", "items": [item]})


@pytest.fixture(scope="module")
def history(
    client_environment: dict[str, str],
    programs: Processes,
    services: State,
    portraits: Path,
    _app: Flask,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Watched]:
    """What Prometheus saw of work that succeeded, failed and waited, until it saw it all."""
    client, heard = _Client(client_environment), list[bytes]()
    port = int(client_environment["WEBHOOK_ALLOWED_HOSTS"].rpartition(":")[2])
    programs.ensure("flower")
    with (
        receiving(lambda body, _headers: not heard.append(body), port),
        watched(client_environment, services.ports["flower"], tmp_path_factory.mktemp("w")) as seen,
    ):
        _wait_for(seen, 'up{job="flower"} == 1', "nginx_http_requests_total")
        hook = {"url": f"http://127.0.0.1:{port}/", "events": ["job.succeeded"]}
        client.post("/webhook-endpoints", json=hook)
        client.work(next(portraits.rglob("obama.jpg")))
        client.get(f"/jobs/{uuid4()}")
        wait_until(lambda: bool(heard), what="the webhook")
        _wait_for(seen, "face_recognition_worker_slots", "flower_events_total")
        programs.stop("recognition")
        client.leave_waiting()
        with _app.app_context():
            pause_source(_BUCKET, "SlowDown", 1)
        _wait_for(seen, "face_recognition_waiting_items", "face_recognition_source_away_seconds")
        yield seen
        with _app.app_context():
            resume_source(_BUCKET)
        programs.stop("flower")


def _wait_for(seen: Watched, *expressions: str) -> None:
    """Until each has had values of two scrapes: a rate needs them."""
    for expression in expressions:
        wait_until(
            lambda looked=f"count_over_time(({expression})[5m:1s]) > 1": bool(seen.series(looked)),
            seconds=60,
            what=expression,
        )


def test_every_target_is_scraped(history: Watched) -> None:
    targets = history.ask("targets")["activeTargets"]

    assert {target["labels"]["job"] for target in targets} == set(JOBS) - {"blackbox"}
    assert {target["lastError"] for target in targets} == {""}


@pytest.mark.parametrize("panel", _panels())
def test_a_panel_has_something_to_show(panel: str, history: Watched) -> None:
    assert history.series(_panels()[panel])


@pytest.mark.parametrize("alert", _rules())
def test_a_rule_looks_at_something_that_is_there(alert: str, history: Watched) -> None:
    missing = [part for part in _vectors(_rules()[alert]) if not history.series(part)]

    assert not missing


def test_what_happened_is_told(history: Watched) -> None:
    told = {
        "face_recognition_items_total": {"outcome": "failed", "code": ImageNotFound.code},
        "face_recognition_webhook_attempts_total": {"outcome": "delivered"},
        "face_recognition_batches_total": {"outcome": "stored"},
        "face_recognition_engine_info": {"device": "cpu"},
    }
    for metric, labels in told.items():
        chosen = ",".join(f'{name}="{value}"' for name, value in labels.items())
        (series,) = history.series(f"max({metric}{{{chosen}}})")
        assert float(series["values"][-1][1]) >= 1, metric
