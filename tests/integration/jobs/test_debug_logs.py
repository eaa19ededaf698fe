"""No process gives away a photograph, person or key at DEBUG, each statement being slow to it."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.database.transactions import owner_transaction
from app.domain.storage import ObjectLocation
from scripts.stack import application
from scripts.stack.state import ROOT, State
from tests.support.processes import WORKERS, Processes, wait_until
from tests.support.served_api import served_api

pytestmark = [pytest.mark.stack, pytest.mark.slow]

PERSON = "ada.lovelace@example.org"
OBJECT = "holiday-in-rome"


@pytest.fixture
def loud(
    services: State,
    stack_environment: dict[str, str],
    programs: Processes,
    models_dir: Path,
    tmp_path: Path,
) -> Iterator[Processes]:
    """Every process at LOG_LEVEL=DEBUG, all being slow to it, with logs of their own."""
    del models_dir
    programs.stop_all()
    found = {program.name: program for program in application.programs(services)}
    all_is_slow = {"SLOW_REQUEST_SECONDS": "1e-9", "SLOW_STATEMENT_SECONDS": "1e-9"}
    environment = {**stack_environment, **all_is_slow, "LOG_LEVEL": "DEBUG"}
    started = Processes(found, environment, tmp_path)
    started.ensure(*WORKERS, "beat")
    yield started
    started.stop_all()


@pytest.fixture
def api(loud: Processes) -> Iterator[dict[str, str]]:
    with served_api(loud) as environment:
        yield environment


def call(api: Mapping[str, str], method: str, path: str, **body: object) -> dict[str, object]:
    answer = requests.request(
        method,
        f"{api['FACEQUEUE_URL']}/api/v1{path}",
        headers={"Authorization": f"Bearer {api['FACEQUEUE_API_KEY']}"},
        timeout=90,
        **body,  # type: ignore[arg-type] # requests' own names
    )
    assert answer.ok, answer.text
    return dict(answer.json())


@dataclass
class Told:
    """What no log may have: what it is, and how it would be spelt."""

    needles: dict[str, str]

    def found_in(self, logs: Mapping[str, str]) -> list[tuple[str, str]]:
        return [
            (what, name)
            for what, needle in self.needles.items()
            for name, log in logs.items()
            if needle.lower() in log.lower()
        ]


def enrol(api: Mapping[str, str], settings: Settings, photo: bytes, told: Told) -> str:
    """Enrol a person from S3 and from an upload, as a client of whom a webhook is told."""
    uri = f"s3://{settings.aws_storage_bucket_name}/{OBJECT}/{uuid.uuid4()}.png"
    ObjectStore.from_settings(settings).write(ObjectLocation.parse(uri), photo, "image/png")
    receiver = {"url": f"http://{settings.webhook_allowed_hosts[0]}/"}
    endpoint = call(api, "POST", "/webhook-endpoints", json=receiver)
    upload = call(api, "POST", "/images", files={"file": photo})
    told.needles["secret of an endpoint"] = str(endpoint["secret"])
    told.needles["name of an upload"] = str(upload["uri"]).rpartition("/")[2]
    collection = call(api, "POST", "/collections", json={"name": f"c {uuid.uuid4()}"})["id"]
    images = ({"image": uri}, {"image_id": upload["id"]})
    items = [{"custom_id": str(n), "subject": PERSON, **one} for n, one in enumerate(images)]
    wanted = {"operation": "enrol", "collection_id": collection, "items": items}
    job = call(api, "POST", "/jobs", json=wanted)["id"]

    def ended() -> bool:
        return call(api, "GET", f"/jobs/{job}")["state"] == "succeeded"

    wait_until(ended, seconds=90, what="the job's end")
    return str(collection)


def embedding_of(collection: str) -> str:
    """The beginning of a stored embedding, as PostgreSQL writes it."""
    with owner_transaction() as session:
        query = "SELECT embedding::text FROM face_vectors_128 WHERE collection_id = :id"
        stored = session.execute(text(query), {"id": collection}).scalars().first()
    assert stored is not None
    return str(stored)[1:40]


def erase_tenant(api: Mapping[str, str]) -> str:
    """What the command says at its end, which deletes in S3."""
    tenant = call(api, "GET", "/me")["tenant_id"]
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "flask", "--app", "wsgi", "tenants", "erase", "--yes", str(tenant)],
        cwd=ROOT,
        env=dict(api),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


@pytest.mark.usefixtures("app")
def test_no_log_of_a_job_tells_whose_photograph_it_was(
    api: dict[str, str], loud: Processes, settings: Settings, portraits: Path
) -> None:
    told = Told(
        {
            "name of a person": PERSON,
            "name of an object": OBJECT,
            "secret of S3": str(settings.aws_secret_access_key),
            "signature of S3": "AWS4-HMAC",
            "header": "authorization",
            "API key": api["FACEQUEUE_API_KEY"],
            "signature of a webhook": "v1,",
        }
    )
    collection = enrol(api, settings, (portraits / "astronaut.png").read_bytes(), told)
    told.needles["embedding"] = embedding_of(collection)
    call(api, "GET", f"/collections/{collection}/subjects/by-external-id/{PERSON}")
    webhooks = loud.log("webhooks")
    wait_until(lambda: "webhook_attempted" in webhooks.read_text(), what="the webhook's attempt")

    command = erase_tenant(api)

    logs = {path.name: path.read_text(errors="replace") for path in loud.logs.glob("*.log")}
    assert told.found_in({**logs, "tenants erase": command}) == []
    assert {f"{name}.log" for name in (*WORKERS, "beat", "served-api")} == logs.keys()
    assert all(logs.values())
    told = {name.removesuffix(".log") for name, log in logs.items() if "slow_statement" in log}
    assert told == {*WORKERS, "served-api"}
