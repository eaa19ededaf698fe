"""Which faces of the collection the images of an enrolment stand for.

A later image may take a face away: by moving it to another person, whose folder has the same
photograph, or by replacing it, since the object from which it came first shows something else now.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

_NONE: frozenset[str] = frozenset()


class Holdings:
    """What each result said of faces, whichever job ended first."""

    def __init__(self, subject_of: Callable[[str], str | None]) -> None:
        self._subject_of = subject_of
        self._faces: dict[str, frozenset[str]] = {}  # key -> ids
        self._holder: dict[str, str] = {}  # id of a face -> the key whose person has it
        self._erased: set[str] = set()

    def note(self, key: str, line: Mapping[str, Any]) -> None:
        """Takes notice of a result."""
        held = [face for face in line.get("faces") or () if _is_held(face)]
        self._faces[key] = frozenset(face["face_id"] for face in held)
        for face in held:
            if face.get("reason"):  # it was there already, and is this person's now
                self._holder[face["face_id"]] = key
            else:  # a job that ended before may have moved what this one enrolled
                self._holder.setdefault(face["face_id"], key)
        self._erased.update(line.get("replaced") or ())

    def is_erased(self, key: str) -> bool:
        """Whether another image replaced what this one still shows."""
        return not self._erased.isdisjoint(self._faces.get(key, _NONE))

    def taker_of(self, key: str) -> str | None:
        """The image of another person that has this one's photograph now."""
        holders = (self._holder[face] for face in self._faces.get(key, _NONE))
        return next((h for h in holders if self._subject_of(h) != self._subject_of(key)), None)

    def left_behind(self, keys: Collection[str]) -> Iterator[str]:
        """Images other than these whose faces no other image has taken over."""
        for key, faces in self._faces.items():
            if key not in keys and any(
                self._holder[face] == key and face not in self._erased for face in faces
            ):
                yield key


def _is_held(face: Mapping[str, Any]) -> bool:
    known = face.get("enrolled") or face.get("reason") == "already_enrolled"
    return bool(known and face.get("face_id"))
