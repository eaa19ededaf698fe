from __future__ import annotations

import tempfile
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A stack in a deep folder keeps its sockets in the temporary one; these stacks never start.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
