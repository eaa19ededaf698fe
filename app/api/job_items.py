"""The items of a job's body: up to ten thousand in one request, so validated by compiled code."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import pydantic
from marshmallow import Schema, ValidationError, fields, validate
from pydantic import ConfigDict, Field, TypeAdapter

from app.domain.job_request import ItemRequest
from app.web.problems import MOST_FIELD_ERRORS

MAX_ID_LENGTH = 200
MAX_URI_LENGTH = 2048

_Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]
_Uri = Annotated[str, Field(min_length=1, max_length=MAX_URI_LENGTH)]


@pydantic.dataclasses.dataclass(config=ConfigDict(extra="forbid"), slots=True)
class _ItemBody:
    custom_id: _Id
    image: _Uri | None = None
    image_id: UUID | None = None
    subject: _Id | None = None
    reference: _Uri | None = None


# Where pydantic would speak of our classes.
_AS_MARSHMALLOW = {
    "dataclass_type": "Not an object.",
    "missing": "Missing data for required field.",
    "unexpected_keyword_argument": "Unknown field.",
}

_ITEMS = TypeAdapter(list[_ItemBody])


class ItemCreateSchema(Schema):
    """One image of a job. Documents `_ItemBody`, which a test compares it with."""

    custom_id = fields.String(required=True, validate=validate.Length(1, MAX_ID_LENGTH))
    image = fields.String(
        allow_none=True,
        validate=validate.Length(1, MAX_URI_LENGTH),
        metadata={"description": "s3://bucket/key"},
    )
    image_id = fields.UUID(allow_none=True, metadata={"description": "Id of an uploaded image"})
    subject = fields.String(
        allow_none=True,
        validate=validate.Length(1, MAX_ID_LENGTH),
        metadata={"description": "External id: whom to enrol, or who it is claimed to be"},
    )
    reference = fields.String(
        allow_none=True,
        validate=validate.Length(1, MAX_URI_LENGTH),
        metadata={"description": "The second image of `verify`"},
    )


class ItemsField(fields.List[dict[str, Any]]):
    """A list of items, read into `ItemRequest`s."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.Nested(ItemCreateSchema), **kwargs)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Any:
        try:
            bodies = _ITEMS.validate_python(value)
        except pydantic.ValidationError as error:
            raise ValidationError(_messages(error)) from error
        return tuple(
            ItemRequest(body.custom_id, body.image, body.image_id, body.subject, body.reference)
            for body in bodies
        )


def _messages(error: pydantic.ValidationError) -> dict[str, Any]:
    """Give pydantic's findings the nested form of marshmallow's."""
    messages: dict[str, Any] = {}
    for found in error.errors(include_url=False, include_input=False, include_context=False)[
        :MOST_FIELD_ERRORS
    ]:
        place = messages
        for step in found["loc"]:
            place = place.setdefault(str(step), {})
        place.setdefault("_schema", []).append(_AS_MARSHMALLOW.get(found["type"], found["msg"]))
    return messages
