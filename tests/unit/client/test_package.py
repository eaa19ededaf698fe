from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from facequeue.core.models import Job
from scripts.stack.state import ROOT

from .conftest import job

CLIENT = ROOT / "clients/python"
UV = Path(sys.executable).with_name("uv")


def test_the_committed_core_is_what_the_document_gives() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [ROOT / "scripts/generate_client.sh", "--check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_no_type_of_the_core_is_named_by_number() -> None:
    """Name its schema in the document, or the class in clients/python/generator.yml."""
    numbered = [path.name for path in CLIENT.rglob("*.py") if re.search(r"_\d+\.py$", path.name)]

    assert numbered == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline from a copy: a build leaves folders beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(CLIENT, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    _uv("build", "--wheel", "--no-build-isolation", "--out-dir", folder, folder / "source")
    (built,) = folder.glob("facequeue-*.whl")
    return built


def test_the_wheel_installs_and_is_imported_without_the_repository(
    wheel: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    _uv("pip", "install", "--no-deps", "--target", site, wheel)
    asked = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import facequeue, facequeue.core.api.jobs.submit_job as made;"
        "print(facequeue.__file__, made.__file__)"
    )
    told = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-I", "-c", asked, site],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert all(Path(path).is_relative_to(site) for path in told.stdout.split())
    assert (site / "facequeue/py.typed").exists()
    assert list(site.glob("facequeue-*.dist-info/licenses/LICENSE"))


def _uv(*arguments: str | Path) -> None:
    done = subprocess.run(  # noqa: S603 - uv of this environment
        [UV, "--offline", *arguments, "--python", sys.executable],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_a_word_that_only_a_newer_service_knows_is_passed_on() -> None:
    assert Job.from_dict(job("resting")).state == "resting"
