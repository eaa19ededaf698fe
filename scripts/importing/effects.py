"""What an enrolment changed in the collection: an answer without an error may have changed nothing.

The service keeps each photograph once in a collection, with the person under whom it came first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from scripts.importing.plan import Plan

ELSEWHERE = "enrolled_elsewhere"  # under another person than the folder names
_ALREADY = "already_enrolled"
_KNOWN = {_ALREADY, "enrolled_as_other"}
_NOBODY = "nobody"
NO_EFFECT: Mapping[str, Any] = MappingProxyType({})


class Effects:
    """Compares whom the faces of an enrolment belong to with whom the folder names."""

    def __init__(self, plan: Plan, name_of: Callable[[str, str], str | None]) -> None:
        """`name_of` gives the external id of a collection's subject by its id, if it is there."""
        self._plan = plan
        self._name_of = name_of
        self._names: dict[str, str | None] = {}

    def of(self, key: str, line: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the results file says beside the service's own words; nothing but for `enrol`."""
        if self._plan.operation != "enrol" or line["state"] != "succeeded":
            return NO_EFFECT
        faces = line.get("faces") or ()
        if any(face.get("enrolled") for face in faces):
            return {"effect": "enrolled"}
        known = [face for face in faces if face.get("reason") in _KNOWN]
        others = [self._owner(face) for face in known] if self._plan.subject_from_folder else []
        wanted = self._plan.subject_of(key)
        strangers = sorted({name for name in others if name != wanted})
        if strangers:
            return {"effect": ELSEWHERE, "enrolled_as": ", ".join(strangers)}
        return {"effect": _ALREADY} if known else {"effect": "none"}

    def _owner(self, face: Mapping[str, Any]) -> str:
        subject_id = face.get("subject_id")
        if subject_id is None:
            return _NOBODY
        if subject_id not in self._names:
            collection = self._plan.collection_id or ""
            self._names[subject_id] = self._name_of(collection, subject_id)
        return self._names[subject_id] or _NOBODY
