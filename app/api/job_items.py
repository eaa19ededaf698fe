"""The items of a job's body: up to ten thousand in one request, so validated by compiled code."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Annotated, Any
from uuid import UUID

import pydantic
from marshmallow import ValidationError, fields, validate
from pydantic import ConfigDict, Field, TypeAdapter

from app.domain.job_request import MAX_ID_LENGTH, ItemRequest, of_item
from app.domain.storage import MAX_URI_LENGTH, MAX_VERSION_LENGTH
from app.web.problems import MOST_FIELD_ERRORS, Untold
from app.web.request_schema import RequestSchema
from app.web.turns import give_way

_Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]


@pydantic.dataclasses.dataclass(config=ConfigDict(extra="forbid"), slots=True)
class _ItemBody:
    custom_id: _Id
    image: str | None = None
    image_id: UUID | None = None
    subject: str | None = None
    reference: str | None = None
    reference_id: UUID | None = None
    image_version: str | None = None
    reference_version: str | None = None


# Where pydantic would speak of our classes.
_AS_MARSHMALLOW = {
    "dataclass_type": "Not an object.",
    "missing": "Missing data for required field.",
    "unexpected_keyword_argument": "Unknown field.",
}

_ITEMS = TypeAdapter(list[_ItemBody])
_SLICE = 200  # items, read in a millisecond
_MEMBERS = tuple(member.name for member in dataclasses.fields(_ItemBody))
_members_of = attrgetter(*_MEMBERS)
_MOST_MEMBERS = 2 * len(_MEMBERS)
_TOO_WIDE = f"Has more than {_MOST_MEMBERS} members."


class ItemCreateSchema(RequestSchema):
    """One image of a job. Documents `_ItemBody`, which a test compares it with.

    What an item names is looked at when the job is made: what cannot be used fails that item alone.
    """

    custom_id = fields.String(required=True, validate=validate.Length(1, MAX_ID_LENGTH))
    image = fields.String(
        allow_none=True,
        metadata={"description": f"s3://bucket/key, in {MAX_URI_LENGTH} characters at most"},
    )
    image_id = fields.UUID(allow_none=True, metadata={"description": "Id of an uploaded image"})
    subject = fields.String(
        allow_none=True,
        metadata={
            "description": "External id: whom to enrol, or who it is claimed to be; 1 to "
            f"{MAX_ID_LENGTH} characters"
        },
    )
    reference = fields.String(
        allow_none=True, metadata={"description": "The second image of `verify`, like `image`"}
    )
    reference_id = fields.UUID(
        allow_none=True, metadata={"description": "The same, by the id of an uploaded image"}
    )
    image_version = fields.String(
        allow_none=True,
        metadata={
            "description": "Version id of the object that `image` names; the newest without it. 1 "
            f"to {MAX_VERSION_LENGTH} characters"
        },
    )
    reference_version = fields.String(
        allow_none=True, metadata={"description": "The same of `reference`"}
    )


class ItemsField(fields.List[dict[str, Any]]):
    """A list of items, read into `ItemRequest`s."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.Nested(ItemCreateSchema), **kwargs)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Any:
        if not isinstance(value, list):
            raise ValidationError("Not a valid list.")
        read: list[ItemRequest] = []
        found = _Findings()
        for first in range(0, len(value), _SLICE):
            bodies = value[first : first + _SLICE]
            if not found.add_wide(first, bodies):
                try:
                    read += _items(bodies)
                except pydantic.ValidationError as error:
                    found.add(first, bodies, error)
            give_way()
        if found.count:
            raise ValidationError(found.messages())
        return tuple(read)


def _items(bodies: list[Any]) -> list[ItemRequest]:
    return [ItemRequest(*_members_of(body)) for body in _ITEMS.validate_python(bodies)]


def _named(message: str, body: Any) -> str:
    """The message with the item's custom_id, where that itself is a right one."""
    custom_id = body.get("custom_id") if isinstance(body, dict) else None
    if isinstance(custom_id, str) and 1 <= len(custom_id) <= MAX_ID_LENGTH:
        return of_item(message, custom_id)
    return message


@dataclass
class _Findings:
    """What is wrong with items: all of it counted, the first of it told."""

    count: int = 0
    told: list[tuple[tuple[int | str, ...], str]] = field(default_factory=list)

    def add(self, first: int, bodies: list[Any], error: pydantic.ValidationError) -> None:
        """Add what pydantic says of a slice of items that begins with the item `first`."""
        self.count += error.error_count()
        if self._room:
            shown = error.errors(include_url=False, include_input=False, include_context=False)
            for found in shown[: self._room]:
                at, *steps = found["loc"]
                message = _AS_MARSHMALLOW.get(found["type"], found["msg"])
                told = _named(message, bodies[int(at)])
                self.told.append(((first + int(at), *steps), told))

    def add_wide(self, first: int, bodies: list[Any]) -> bool:
        """Whether there are items of so many members that pydantic would tell each: add them."""
        wide = [
            at
            for at, body in enumerate(bodies, first)
            if isinstance(body, dict) and len(body) > _MOST_MEMBERS
        ]
        self.count += len(wide)
        self.told += [((at,), _named(_TOO_WIDE, bodies[at - first])) for at in wide[: self._room]]
        return bool(wide)

    def messages(self) -> dict[str, Any]:
        """Give the findings the nested form of marshmallow's."""
        messages: dict[str, Any] = {}
        for steps, message in self.told:
            place = messages
            for step in steps:
                place = place.setdefault(str(step), {})
            place.setdefault("_schema", []).append(message)
        if self.count > len(self.told):
            messages["_schema"] = [Untold(self.count - len(self.told))]
        return messages

    @property
    def _room(self) -> int:
        return MOST_FIELD_ERRORS - len(self.told)
