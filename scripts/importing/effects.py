"""What an enrolment changed in the collection: an answer without an error may have changed nothing.

The service keeps each photograph once in a collection, as one person's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from scripts.importing.plan import Plan

ELSEWHERE = "enrolled_elsewhere"  # another person has it, and keeps it
NOBODY = "nobody"
_ALREADY, _OTHER, _MOVED = "already_enrolled", "enrolled_as_other", "moved"
NO_EFFECT: Mapping[str, Any] = MappingProxyType({})


def effect_of(plan: Plan, line: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the results file says beside the service's own words; nothing but for `enrol`."""
    if plan.operation != "enrol" or line["state"] != "succeeded":
        return NO_EFFECT
    faces = line.get("faces") or ()
    reasons = {face.get("reason") for face in faces}
    if any(face.get("enrolled") for face in faces):
        return {"effect": _MOVED if _MOVED in reasons else "enrolled"}
    if _OTHER in reasons:
        owners = {face.get("subject") or NOBODY for face in faces if face.get("reason") == _OTHER}
        return {"effect": ELSEWHERE, "enrolled_as": ", ".join(sorted(owners))}
    return {"effect": _ALREADY if _ALREADY in reasons else "none"}
