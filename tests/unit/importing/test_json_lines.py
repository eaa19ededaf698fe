from __future__ import annotations

from pathlib import Path

import pytest

from scripts.importing.failures import CannotWrite
from scripts.importing.json_lines import JsonLines

FULL = Path("/dev/full")  # takes nothing, as a full disk


def test_a_full_disk_is_a_fault_of_the_import() -> None:
    lines = JsonLines(FULL)
    lines.append({"a": 1})

    with pytest.raises(CannotWrite, match="cannot write /dev/full: No space left on device"):
        lines.sync()
    lines.close()


def test_a_full_disk_is_noticed_also_before_a_sync() -> None:
    lines = JsonLines(FULL)

    with pytest.raises(CannotWrite, match="No space left"):
        lines.append({"a": "x" * 1_000_000})
    lines.close()


def test_closing_a_file_on_a_full_disk_hides_no_other_fault() -> None:
    lines = JsonLines(FULL)
    lines.append({"a": 1})

    lines.close()
