from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from standardwebhooks.webhooks import Webhook

from app.config import Settings
from scripts.stack.state import ROOT
from tests.support.processes import wait_until
from tests.support.served_api import run_shell

# One process, so that the walk is done once.
pytestmark = pytest.mark.xdist_group("readme-walk")

README = (ROOT / "README.md").read_text()


def shell_blocks(heading: str) -> str:
    """The bash blocks of a section, as one script."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```bash\n(.*?)```", section, re.DOTALL))


@dataclass
class Receiver:
    """A webhook receiver: what came, headers and body."""

    url: str = ""
    deliveries: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@dataclass(frozen=True)
class Walk:
    """What the commands printed, a JSON document a line, and what was delivered meanwhile."""

    printed: list[dict[str, object]]
    receiver: Receiver


@pytest.fixture(scope="module")
def receiver(settings: Settings) -> Iterator[Receiver]:
    [entry] = settings.webhook_allowed_hosts  # as the stack's
    seen, port = Receiver(), int(entry.rpartition(":")[2])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.deliveries.append((dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        seen.url = f"http://127.0.0.1:{port}/hook"
        yield seen
        server.shutdown()


@pytest.fixture(scope="module")
def walk(client_environment: dict[str, str], portraits: Path, receiver: Receiver) -> Walk:
    """The README's walk through the API, done once."""
    photos = {
        "PHOTO": str(portraits / "obama.jpg"),
        "OTHER_PHOTO": str(portraits / "obama2.jpg"),
        "WEBHOOK_URL": receiver.url,
    }
    script = shell_blocks("A walk through the API")
    text = run_shell(script, {**client_environment, **photos}).strip()
    decoder, printed = json.JSONDecoder(), []
    while text:
        document, end = decoder.raw_decode(text)
        printed.append(document)
        text = text[end:].lstrip()
    return Walk(printed, receiver)


def test_the_walk_enrols_while_it_waits(walk: Walk) -> None:
    enrolment = walk.printed[0]

    assert (enrolment["operation"], enrolment["state"]) == ("enrol", "succeeded")


def test_the_walk_identifies_the_person_in_another_photograph(walk: Walk) -> None:
    (face,) = walk.printed[-1]["faces"]

    assert face["decision"] == "match"
    assert face["matches"][0]["subject"] == "ada"


def test_the_answer_has_the_fields_that_the_page_shows(walk: Walk) -> None:
    (shown,) = re.findall(
        r"```json\n(.*?)```", README.split("\n## A walk through the API\n")[1], re.DOTALL
    )[:1]
    example, (face,) = json.loads(shown), walk.printed[-1]["faces"]

    assert example.keys() == walk.printed[-1].keys()
    assert example["faces"][0].keys() == face.keys()
    assert example["faces"][0]["matches"][0].keys() == face["matches"][0].keys()


def test_the_walk_is_told_by_a_webhook_that_its_secret_verifies(walk: Walk) -> None:
    wait_until(lambda: bool(walk.receiver.deliveries), what="the webhook")
    headers, body = walk.receiver.deliveries[0]

    event = Webhook(str(walk.printed[1]["secret"])).verify(body, headers)

    assert event["type"] == "job.succeeded"


def test_the_import_of_a_prefix_identifies_whom_the_walk_enrolled(
    walk: Walk, client_environment: dict[str, str], portraits: Path, tmp_path: Path
) -> None:
    assert walk.printed  # the collection `staff` is there
    bucket = client_environment["AWS_STORAGE_BUCKET_NAME"]
    boto3.client("s3").upload_file(portraits / "obama3.jpg", bucket, "quickstart/obama3.jpg")

    script = shell_blocks("Import a whole S3 prefix").replace("identified.jsonl", f"{tmp_path}/out")
    run_shell(script, client_environment)

    (line,) = (tmp_path / "out").read_text().splitlines()
    assert json.loads(line)["faces"][0]["matches"][0]["subject"] == "ada"
