from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scripts.demo import __main__ as command
from scripts.demo.photos import Plan
from scripts.demo.run import Outcome


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The stacks that were taken down."""
    folders: list[Path] = []
    monkeypatch.setattr(command.lifecycle, "down", folders.append)
    return folders


def test_once_stops_everything_whatever_went_wrong(
    stopped: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody_reads(*_: Any, **__: Any) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(command, "_show", nobody_reads)
    monkeypatch.setattr(command.click, "echo", nobody_reads)

    CliRunner().invoke(command.demo, ["--once", "--state", str(tmp_path)])

    assert stopped == [tmp_path]


@pytest.mark.parametrize(("event", "status"), [({"type": "job.succeeded"}, 0), (None, 1)])
def test_a_run_whose_webhook_does_not_come_has_failed(
    event: dict[str, str] | None,
    status: int,
    stopped: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outcome = Outcome(Plan("test", (), (), ""), "a rule", [], [], event=event)
    monkeypatch.setattr(command, "_show", lambda *_: outcome)

    done = CliRunner().invoke(command.demo, ["--once", "--state", str(tmp_path)])

    assert done.exit_code == status
    assert stopped == [tmp_path]
