"""Generated calls against the API, by schemathesis: `python -m scripts.bench.fuzz --cases 10000`.

Each call of the OpenAPI document gets right and wrong requests, and chains of calls follow its
links. Every answer is held to the document: its status, media type, headers and schema. Needs
FACEQUEUE_URL and FACEQUEUE_API_KEY of an API with ENABLE_API_RATE_LIMITING=false and, since it
registers webhook endpoints at made-up addresses, without a worker.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import requests

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
# They would end the key that the other calls are made with.
_ENDING_KEYS = ("revoke_api_key", "rotate_api_key")
_MOST_ROUNDS = 20
_SERVER_ERROR = "ST101"
_PROGRAM = (sys.executable, "-m", "schemathesis.cli")


@dataclass
class Outcome:
    """What came of the calls: how many were made, and the violations by kind."""

    cases: int = 0
    violations: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)

    server_errors: int = 0

    def add(self, report: dict[str, Any], printed: str) -> None:
        """Count what schemathesis reports of one run; what it printed shows each violation."""
        self.cases += report["test_cases"]["generated"]
        self.seeds.append(report["seed"])
        for failure in report["failures"]:
            self.violations[failure["title"]] += failure["count"]
            self.server_errors += failure["count"] * (failure["code"] == _SERVER_ERROR)
        self.violations["Not tested"] += len(report["errors"])
        self.violations = +self.violations  # those that were not met go
        if self.violations:
            self.told.append(printed)

    def as_json(self) -> str:
        """All of it; `asdict` would take a Counter's pairs for what it counts."""
        return json.dumps({**vars(self), "violations": dict(self.violations)})


@click.command(help=__doc__)
@click.option("--cases", default=10_000, show_default=True, type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def main(*, cases: int, as_json: bool) -> None:
    """Run and print; exit 1 when an answer was not as documented."""
    outcome = fuzz(os.environ["FACEQUEUE_URL"], os.environ["FACEQUEUE_API_KEY"], cases)
    if as_json:
        click.echo(outcome.as_json())
    else:
        click.echo(f"{outcome.cases} cases, {outcome.server_errors} answers of 5xx")
        for name, count in outcome.violations.items():
            click.echo(f"  {count} violations of {name}")
        for line in outcome.told:
            click.echo(line)
    sys.exit(bool(outcome.violations.total()))


def fuzz(url: str, key: str, cases: int) -> Outcome:
    """Make so many calls or some more, each round with a seed of its own.

    Raises:
        RuntimeError: schemathesis gave no report.
    """
    document = requests.get(f"{url}/api/v1/openapi.json", timeout=60).json()
    calls = sum(len(methods.keys() - {"parameters"}) for methods in document["paths"].values())
    outcome = Outcome()
    outcome.add(*_round(url, key, "--phases", "fuzzing", "-n", "10", *_only(*_ENDING_KEYS)))
    rest = _without(*_ENDING_KEYS)
    outcome.add(*_round(url, key, "--phases", "coverage", *rest))
    for _ in range(_MOST_ROUNDS):
        missing = cases - outcome.cases
        if outcome.violations or (missing <= 0 and len(outcome.seeds) > 2):  # noqa: PLR2004 - both phases were there
            break
        each = max(5, -(-missing // calls))
        outcome.add(*_round(url, key, "--phases", "fuzzing,stateful", "-n", str(each), *rest))
    return outcome


def _round(url: str, key: str, *arguments: str) -> tuple[dict[str, Any], str]:
    with tempfile.TemporaryDirectory(prefix="facequeue-fuzz-") as folder:
        report = Path(folder) / "report.json"
        done = subprocess.run(
            [
                *_PROGRAM,
                *("--config-file", "/dev/null"),
                "run",
                f"{url}/api/v1/openapi.json",
                *("-H", f"Authorization: Bearer {key}"),
                *("--checks", ",".join(CHECKS)),
                *("--report", "json", "--report-json-path", report),
                *("--generation-database", "none"),
                "--continue-on-failure",
                "--no-color",
                *arguments,
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists():
            raise RuntimeError(f"schemathesis ended with {done.returncode}:\n{done.stdout[-3000:]}")
        return json.loads(report.read_text()), done.stdout


def _only(*calls: str) -> list[str]:
    return [word for call in calls for word in ("--include-operation-id", call)]


def _without(*calls: str) -> list[str]:
    return [word for call in calls for word in ("--exclude-operation-id", call)]


if __name__ == "__main__":
    main()
