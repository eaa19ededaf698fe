"""The OpenAPI document under the rules of a linter that others use too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.stack.state import ROOT
from tests.deploy.programs import needs

LINTER = "@stoplight/spectral-cli@6.16.3"
RULES = Path(__file__).with_name("spectral.yaml")

pytestmark = needs("npx")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document, in a file, as any machine writes it."""
    written = tmp_path_factory.mktemp("openapi") / "openapi.json"
    printed = subprocess.run(
        [sys.executable, "-m", "scripts.openapi_document"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    written.write_bytes(printed.stdout)
    return written


def findings(document: Path) -> list[str]:
    """What the linter says, errors and warnings alike."""
    arguments = ("lint", "--ruleset", RULES, "--format", "json", "--quiet", document)
    done = subprocess.run(  # noqa: S603 - the linter, at a version
        ["npx", "--yes", LINTER, *arguments],  # noqa: S607 - as the tests of programs all do
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode in {0, 1}, done.stderr
    found = json.loads(done.stdout)
    return [f"{each['code']}: {each['message']} {'/'.join(each['path'])}" for each in found]


def test_the_document_breaks_no_rule(document: Path) -> None:
    assert findings(document) == []


def test_the_linter_sees_a_broken_rule(document: Path, tmp_path: Path) -> None:
    broken = json.loads(document.read_text())
    del broken["paths"]["/api/v1/me"]["get"]["operationId"]
    worse = tmp_path / "openapi.json"
    worse.write_text(json.dumps(broken))

    (found,) = findings(worse)
    assert found.startswith("operation-operationId")
