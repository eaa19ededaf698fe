from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scripts.importing import command, steps
from scripts.importing.command import import_s3
from scripts.importing.failures import CannotWrite, Refused, Unreachable, UsageFault

SCRIPT = Path(__file__).parents[3] / "scripts/import_s3.py"


def ending(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Any:
    def run(*_: Any) -> None:
        raise error

    monkeypatch.setattr(command, "run_import", run)
    return CliRunner().invoke(import_s3, ["s3://photos", "--operation", "detect"])


@pytest.mark.parametrize(
    ("error", "exit_code", "said"),
    [
        (UsageFault("no such collection"), 2, "error: no such collection"),
        (Refused(422, {"code": "bucket_forbidden"}), 2, "bucket_forbidden"),
        (Unreachable("FaceQueue does not answer"), 3, "error: FaceQueue does not answer"),
        (CannotWrite("cannot write out.jsonl"), 3, "error: cannot write out.jsonl"),
        (OSError(28, "No space left on device"), 3, "No space left on device"),
        (KeyboardInterrupt(), 130, "run the same command again"),
    ],
)
def test_each_ending_has_a_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, exit_code: int, said: str
) -> None:
    ended = ending(monkeypatch, error)

    assert ended.exit_code == exit_code
    assert said in ended.output


def test_a_missing_key_names_the_variables() -> None:
    arguments = ["s3://photos", "--operation", "detect"]
    ended = CliRunner().invoke(import_s3, arguments, env={"FACEQUEUE_API_KEY": None})

    assert ended.exit_code == 2
    assert "FACEQUEUE_API_KEY" in ended.output


def test_an_api_that_is_away_is_told_at_once() -> None:
    arguments = ["s3://photos", "--operation", "detect"]
    nowhere = {"FACEQUEUE_URL": "http://127.0.0.1:1", "FACEQUEUE_API_KEY": "key"}
    started = time.monotonic()
    ended = CliRunner().invoke(import_s3, arguments, env=nowhere)

    assert ended.exit_code == 3
    assert "Connection refused" in ended.output
    assert time.monotonic() - started < 5


def test_a_gallery_operation_without_a_collection_is_wrong_usage() -> None:
    arguments = ["s3://photos", "--operation", "identify"]
    key = {"FACEQUEUE_URL": "http://127.0.0.1:1", "FACEQUEUE_API_KEY": "key"}
    ended = CliRunner().invoke(import_s3, arguments, env=key)

    assert ended.exit_code == 2
    assert "identify needs --collection" in ended.output


def test_the_script_explains_itself_from_any_folder(tmp_path: Path) -> None:
    shown = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, SCRIPT, "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "Exit codes" in shown.stdout


def test_all_and_a_choice_of_suffixes_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_reached", lambda _request: None)
    arguments = ["s3://photos", "--operation", "detect", "--all", "--suffix", ".gif"]
    ended = CliRunner().invoke(import_s3, arguments)

    assert ended.exit_code == 2
    assert "leave --suffix out" in ended.output
