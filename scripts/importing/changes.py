"""What a run changed of what a collection had before, for its summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from scripts.importing.effects import NOBODY


class Changes:
    """Counts photographs that became another person's, and those that took the place of others."""

    def __init__(self) -> None:
        self._moved: Counter[str] = Counter()  # from whom -> photographs
        self._left: dict[str, bool] = {}  # whether they have none now, by the last word on it
        self._replacing = 0

    def note(self, line: Mapping[str, Any]) -> None:
        """Takes notice of a result."""
        self._replacing += bool(line.get("replaced"))
        befores = [face["moved_from"] for face in line.get("faces") or () if "moved_from" in face]
        for before in befores:
            self._left[before["subject"] or NOBODY] = bool(before["left_without_faces"])
        self._moved.update({before["subject"] or NOBODY for before in befores})

    def lines(self) -> list[str]:
        """What is printed; nothing when nothing was changed."""
        lines = []
        for name, count in sorted(self._moved.items()):
            left = ", who has no photograph left" if self._left[name] else ""
            lines.append(f"  {count} moved from {name}{left}")
        if self._replacing:
            lines.append(f"  {self._replacing} replaced what their object showed before")
        return lines
