"""A photograph of the demo, and what it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Photo:
    """One image: where it goes in S3, who is on it if we know, and how to get its bytes."""

    name: str
    person: str | None
    load: Callable[[], bytes] = field(repr=False)


@dataclass(frozen=True)
class Plan:
    """Who is enrolled with which photographs, and which photographs are identified."""

    title: str
    enrol: tuple[Photo, ...]
    identify: tuple[Photo, ...]
    # What a reader must know to take the results for what they are.
    caveat: str

    @property
    def enrolled_people(self) -> frozenset[str]:
        """Who can be found."""
        return frozenset(photo.person for photo in self.enrol if photo.person)
