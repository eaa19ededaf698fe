"""What a client may choose for a job, and what it gets when it chooses nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from app.domain.states import EnrolFaces, Priority

# What can be estimated of a face beyond whose it is; see "Attributes" in docs/recognition.md.
ATTRIBUTES = ("age", "gender", "emotion")
# What they ask for, jobs of other operations cannot do.
ENROL_OPTIONS = ("enrol_faces", "on_conflict", "on_changed")
# A job this small is answered while somebody waits; larger ones share the bulk lane.
INTERACTIVE_ITEMS = 16
# More open interactive items than this of one tenant, and its next jobs go to the bulk lane.
INTERACTIVE_CAP = 256


@dataclass(frozen=True)
class JobOptions:
    """Options of a job, stored with it whole so that a result can be explained later.

    `min_face` is in pixels of the source image; `min_quality` is 0 to 1; `top_k` counts subjects;
    `attributes` are some of ATTRIBUTES, for tenants that may ask for them. `on_conflict` says what
    happens to a photograph that is another person's, `on_changed` what to the faces that were
    enrolled from the same place for the same person when other bytes lay there. `distinct_people`:
    no two faces of one image are matched to the same subject.
    """

    max_faces: int = 10
    min_quality: float = 0.0
    min_face: int = 24
    top_k: int = 5
    liveness: bool = False
    rotation: Literal["off", "gated", "full"] | None = None
    enrol_faces: Literal["only", "largest", "all"] = "only"
    attributes: tuple[str, ...] = ()
    on_conflict: Literal["keep", "move"] = "keep"
    on_changed: Literal["add", "replace"] = "add"
    distinct_people: bool = True

    @property
    def enrols(self) -> EnrolFaces:
        """Which faces of an enrolment image become gallery faces."""
        return EnrolFaces(self.enrol_faces)

    def as_json(self) -> dict[str, Any]:
        """The options as they are stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> JobOptions:
        """Read stored options; ones that a newer version wrote are passed over."""
        known = {key: value for key, value in stored.items() if key in cls.__dataclass_fields__}
        return cls(**known | {"attributes": tuple(known.get("attributes", ()))})


def choose_priority(items: int, *, waiting: bool, open_interactive: Callable[[], int]) -> Priority:
    """The lane of a new job: interactive if small or waited for, within the tenant's cap.

    `open_interactive` counts the tenant's open items there; asked only where the answer matters.
    """
    small = items <= INTERACTIVE_ITEMS or (waiting and items <= INTERACTIVE_CAP)
    if small and open_interactive() + items <= INTERACTIVE_CAP:
        return Priority.INTERACTIVE
    return Priority.BULK
