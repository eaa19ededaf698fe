"""What a client asks for, and whether it can be asked for: the rules that need no database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.domain.given_names import MOST_GIVEN, normal_name
from app.domain.item_errors import SubjectInvalid
from app.domain.job_options import ENROL_OPTIONS, JobOptions
from app.domain.request_errors import (
    DuplicateCustomId,
    EmptyJob,
    FieldError,
    Invalid,
    TooManyItems,
)
from app.domain.states import EnrolFaces, Operation

MAX_ID_LENGTH = 200
MOST_REDRIVES = 20  # that a job says it had, the last


@dataclass(frozen=True, slots=True)
class ItemRequest:
    """One image of a job: an S3 URI or an upload's id, and whom it shows or is held against.

    An S3 object may be named in one of its versions: beside the URI, since `?versionId=` within it
    could be part of a key.
    """

    custom_id: str
    image: str | None = None
    image_id: UUID | None = None
    subject: str | None = None
    reference: str | None = None
    reference_id: UUID | None = None
    image_version: str | None = None
    reference_version: str | None = None

    def __post_init__(self) -> None:
        """Name the subject as its collection does; what is far too long is nobody's name."""
        if self.subject is not None and len(self.subject) <= MOST_GIVEN:
            object.__setattr__(self, "subject", normal_name(self.subject))

    @property
    def subject_fault(self) -> SubjectInvalid | None:
        """Why nobody can have the external id that it names, or None when somebody can."""
        if self.subject is None or 1 <= len(self.subject) <= MAX_ID_LENGTH:
            return None
        return SubjectInvalid(f"an external id has 1 to {MAX_ID_LENGTH} characters")


@dataclass(frozen=True)
class JobRequest:
    """One operation over 1..N images.

    What is wrong with the request as a whole, or makes no sense of an item, is refused. An item
    that makes sense and cannot be done fails alone, as a result of the job.

    A collection is named by its id or by its name.

    `notify_webhooks` with no endpoint id means every endpoint that subscribes. `waiting` says that
    the client holds its connection open for the answer.
    """

    operation: Operation
    items: tuple[ItemRequest, ...]
    collection_id: UUID | None = None
    collection: str | None = None
    model: str | None = None
    options: JobOptions = field(default_factory=JobOptions)
    webhook_endpoint_id: UUID | None = None
    notify_webhooks: bool = True
    metadata: dict[str, Any] = field(default_factory=dict)
    waiting: bool = False

    def check(self, max_items: int) -> None:
        """Raise the typed error of the first kind of thing that is wrong.

        Raises:
            EmptyJob, TooManyItems, DuplicateCustomId: the list as a whole.
            Invalid: fields that the operation needs or does not take, with their pointers.
        """
        check_item_count(len(self.items), max_items)
        self._check_custom_ids()
        problems = [
            *self._collection_problems(),
            *self._option_problems(),
            *self._item_problems(),
        ]
        if problems:
            raise Invalid(errors=tuple(problems))

    def _check_custom_ids(self) -> None:
        seen: dict[str, int] = {}
        repeated = [
            FieldError(f"/items/{position}/custom_id", of_item(f"items/{first} has it", custom_id))
            for position, custom_id in enumerate(item.custom_id for item in self.items)
            if (first := seen.setdefault(custom_id, position)) != position
        ]
        if repeated:
            raise DuplicateCustomId(errors=tuple(repeated))

    def _collection_problems(self) -> Iterator[FieldError]:
        named = (self.collection_id is not None) + (self.collection is not None)
        if named > 1:
            yield FieldError("/collection", "only one of collection and collection_id")
        if self.operation.needs_collection and not named:
            yield FieldError("/collection_id", f"{self.operation} needs a collection")
        claims = any(item.subject is not None for item in self.items)
        if self.operation is Operation.VERIFY and claims and not named:
            yield FieldError("/collection_id", "verify against a subject needs its collection")

    def _option_problems(self) -> Iterator[FieldError]:
        """Options that ask for nothing are fine: a client may send all that a job had."""
        if self.operation is Operation.ENROL:
            return
        usual = JobOptions()
        for name in ENROL_OPTIONS:
            if getattr(self.options, name) != getattr(usual, name):
                detail = f"{self.operation} enrols nobody: leave it out, or {getattr(usual, name)}"
                yield FieldError(f"/options/{name}", detail)

    def _item_problems(self) -> Iterator[FieldError]:
        for position, item in enumerate(self.items):
            for name, detail in self._problems_of(item):
                yield FieldError(f"/items/{position}/{name}", of_item(detail, item.custom_id))

    def _problems_of(self, item: ItemRequest) -> list[tuple[str, str]]:
        # Lists, not generators: of ten thousand items, nearly all have none.
        problems = []
        if (item.image is None) == (item.image_id is None):
            problems.append(("image", "exactly one of image and image_id is needed"))
        if item.image is None and item.image_version is not None:
            problems.append(("image_version", "it is a version of image, which is needed too"))
        if item.reference is None and item.reference_version is not None:
            said = "it is a version of reference, which is needed too"
            problems.append(("reference_version", said))
        return problems + self._pairing_problems(item)

    def _pairing_problems(self, item: ItemRequest) -> list[tuple[str, str]]:
        if self.operation is Operation.VERIFY:
            named = [item.reference, item.reference_id, item.subject]
            if named.count(None) != len(named) - 1:
                said = "verify needs exactly one of reference, reference_id and subject"
                return [("reference", said)]
            return []
        problems = [
            (name, f"{self.operation} takes no reference")
            for name in ("reference", "reference_id")
            if getattr(item, name) is not None
        ]
        if self.operation is Operation.ENROL:
            needs_subject = self.options.enrols is not EnrolFaces.ALL
            if needs_subject and item.subject is None:
                problems.append(("subject", "enrol needs the subject's external id"))
            if not needs_subject and item.subject is not None:
                problems.append(("subject", "enrol_faces=all enrols faces without a subject"))
        elif item.subject is not None:
            problems.append(("subject", f"{self.operation} takes no subject"))
        return problems


def of_item(detail: str, custom_id: str) -> str:
    """Say which item a detail is about, by the name that the client gave it."""
    return f'{detail} (custom_id "{custom_id}")'


def check_item_count(count: int, most: int) -> None:
    """Check how many items a job has, which needs none of them to be read.

    Raises:
        EmptyJob, TooManyItems: as they say.
    """
    if not count:
        raise EmptyJob(errors=(FieldError("/items", "at least one item is needed"),))
    if count > most:
        raise TooManyItems(
            f"The job has {count} items; one request may carry {most}. "
            "Split it, or import with scripts/import_s3.py",
            errors=(FieldError("/items", f"{most} at most"),),
        )
