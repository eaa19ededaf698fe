"""What a backup says of itself is told by node_exporter alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.stack.state import ROOT

_RUN = """
from pathlib import Path
from scripts.keeping.metrics import measured

with measured("config", Path("collected")) as run:
    run.size_bytes = 7
"""


@pytest.mark.parametrize("shared", ["", "shared"])
def test_a_run_leaves_its_text_file_and_no_other(tmp_path: Path, shared: str) -> None:
    (tmp_path / "shared").mkdir()

    subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _RUN],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PROMETHEUS_MULTIPROC_DIR": shared},
        check=True,
    )

    (left,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert left == tmp_path / "collected" / "facequeue_backup_config.prom"
    lines = left.read_text().splitlines()
    assert 'facequeue_backup_size_bytes{kind="config"} 7.0' in lines
    assert 'facequeue_backup_last_status{kind="config"} 1.0' in lines
