"""The worst body of every call, and who waits meanwhile: `python -m scripts.bench.worst_bodies`.

Reads the calls from the API's own document, sends to each what costs most to refuse, and asks
`/health/` of the same process all the while. Needs FACEQUEUE_URL and FACEQUEUE_API_KEY of an API
with one worker process and ENABLE_API_RATE_LIMITING=false.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import click
import requests

_MIB = 1_048_576
_ANSWER_S = 60
_PAUSE_S = 0.002  # between two looks at /health/


@dataclass(frozen=True)
class WorstBody:
    """One body for one call."""

    method: str
    path: str
    kind: str
    body: bytes


@dataclass(frozen=True)
class Refusal:
    """What came of it: in which time, and the longest that `/health/` took meanwhile."""

    method: str
    path: str
    kind: str
    status: int
    refused_ms: float
    health_ms: float


@click.command(help=__doc__)
@click.option("--json", "as_json", is_flag=True, help="One JSON list instead of lines.")
def main(*, as_json: bool) -> None:
    """Run and print; exit 1 when something else than a refusal came back."""
    url = os.environ["FACEQUEUE_URL"]
    found = list(measure(url, os.environ["FACEQUEUE_API_KEY"]))
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found]))
    else:
        for each in found:
            click.echo(
                f"{each.health_ms:7.1f} ms /health/ {each.refused_ms:8.1f} ms {each.status} "
                f"{each.method} {each.path} {each.kind}"
            )
    sys.exit(any(not is_refusal(each.status) for each in found))


def is_refusal(status: int) -> bool:
    """Whether the API said what is wrong with a body."""
    return status in {400, 404, 413, 415, 422}


def measure(url: str, key: str) -> Iterator[Refusal]:
    """Send each call its worst bodies, one after the other."""
    document = requests.get(f"{url}/api/v1/openapi.json", timeout=_ANSWER_S).json()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with requests.Session() as session:
        for worst in worst_bodies(document):
            with _watched(url) as waits:
                began = time.perf_counter()
                answer = session.request(
                    worst.method,
                    url + worst.path,
                    data=worst.body,
                    headers=headers,
                    timeout=_ANSWER_S,
                )
                taken = time.perf_counter() - began
            yield Refusal(
                worst.method,
                worst.path,
                worst.kind,
                answer.status_code,
                round(taken * 1000, 1),
                round(max(waits, default=0.0) * 1000, 1),
            )


def worst_bodies(document: dict[str, Any]) -> Iterator[WorstBody]:
    """Make them from the OpenAPI document: of every body each list, object and text."""
    for template, calls in document["paths"].items():
        for method in {"post", "patch", "put"} & calls.keys():
            content = calls[method].get("requestBody", {}).get("content", {})
            if (media := content.get("application/json")) is None:
                continue
            path = "/".join(
                str(uuid.uuid4()) if part.startswith("{") else part for part in template.split("/")
            )
            schema = _resolved(document, media["schema"])
            size = 10 * _MIB if "items" in schema["properties"] else _MIB
            for kind, body in _of(document, schema, media["example"], size - 4096):
                yield WorstBody(method.upper(), path, kind, body)


def _of(
    document: dict[str, Any], schema: dict[str, Any], example: dict[str, Any], size: int
) -> Iterator[tuple[str, bytes]]:
    for name, described in schema["properties"].items():
        for kind, value in _values(_resolved(document, described), size):
            rest = {key: each for key, each in example.items() if key != name}
            members = json.dumps(rest)[1:-1]
            yield (
                f"{name}: {kind}",
                f"{{{members}{', ' if rest else ''}{json.dumps(name)}: {value}}}".encode(),
            )
    yield "members", ("{" + ",".join(f'"x{n}":0' for n in range(size // 12)) + "}").encode()
    yield "levels", b"[" * size
    yield "a list", b"[" + b"0," * (size // 2) + b"0]"


def _values(described: dict[str, Any], size: int) -> Iterator[tuple[str, str]]:
    types = described.get("type", ())
    if "array" in types:
        most = described.get("maxItems", 10_000)
        yield "zeros", _list("0", size // 2)
        yield "as many zeros as are allowed", _list("0", min(most, size // 2))
        wide = "{" + ",".join(f'"{n}":0' for n in range(25)) + "}"
        yield "wide objects", _list(wide, min(most, size // len(wide)))
        yield "lists", _list("[]", size // 3)
        yield "NULs", _list('"\\u0000"', size // 9)
    elif "object" in types:
        yield "members", "{" + ",".join(f'"x{n}":0' for n in range(size // 12)) + "}"
        yield "a list", '{"k":' + _list("0", size // 2) + "}"
        yield "levels", '{"k":' + "[" * 900 + _list("0", size // 3) + "]" * 900 + "}"
        yield "NULs", '{"k":' + _list('"\\u0000"', 15_000) + "}"
    else:
        yield "text", '"' + "x" * (size - 100) + '"'
        yield "digits", _list("1" * 1000, size // 1100)


def _list(element: str, count: int) -> str:
    return "[" + ",".join([element] * count) + "]"


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        found: dict[str, Any] = document["components"]["schemas"][name]
        return found
    return schema


@contextmanager
def _watched(url: str) -> Iterator[list[float]]:
    """Ask `/health/` over and over; how long each answer took, in seconds."""
    waits: list[float] = []
    over, begun = threading.Event(), threading.Event()

    def look() -> None:
        with requests.Session() as session:
            while not over.is_set():
                began = time.perf_counter()
                session.get(f"{url}/health/", timeout=_ANSWER_S)
                if begun.is_set():  # the first one connects
                    waits.append(time.perf_counter() - began)
                begun.set()
                time.sleep(_PAUSE_S)

    looking = threading.Thread(target=look)
    looking.start()
    begun.wait(_ANSWER_S)
    try:
        yield waits
    finally:
        over.set()
        looking.join()


if __name__ == "__main__":
    main()
