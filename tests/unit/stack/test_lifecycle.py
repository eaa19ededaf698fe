from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.stack import lifecycle, report
from scripts.stack.failures import StackError
from scripts.stack.state import State


def test_a_full_disk_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5 * 2**20))

    with pytest.raises(StackError, match=r"Only 5 MB are free.*Free some space and start again"):
        lifecycle.up(tmp_path, everything=False)

    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_processes_without_their_supervisor_are_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "processes", lambda _: [])
    monkeypatch.setattr(report, "strays", lambda _: ["postgres", "redis"])

    assert report.print_status(State(tmp_path)) is False
    assert "2 processes run without it" in capsys.readouterr().out
