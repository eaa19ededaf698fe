"""How a gallery was searched; every answer says so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SearchIndex(StrEnum):
    """What compared a probe with the faces of a gallery."""

    EXACT = "exact"
    STREAMED = "exact-streamed"
    CACHED = "exact-cached"


@dataclass(frozen=True)
class SearchReport:
    """By what a gallery of `faces` was searched.

    `recall`, 0 to 1, is the share of probes whose nearest face such a search finds.
    """

    index: SearchIndex
    faces: int
    recall: float
