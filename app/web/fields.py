"""Fields and bases of schemas that every resource shares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from app.domain.metadata import metadata_fault

NAME_LENGTH = validate.Length(min=1, max=200)
_FIRST_YEAR, _LAST_YEAR = 1970, 2999


class Timestamp(fields.AwareDateTime):
    """A moment, written as RFC 3339 in UTC; read with any offset, but never without one."""

    def _serialize(
        self,
        value: dt.datetime | None,
        attr: str | None,  # noqa: ARG002 - marshmallow's signature
        obj: Any,  # noqa: ARG002 - marshmallow's signature
        **kwargs: Any,  # noqa: ARG002 - marshmallow's signature
    ) -> str | None:
        return None if value is None else rfc3339(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.datetime:
        moment: dt.datetime = super()._deserialize(value, attr, data, **kwargs)
        # At the ends of the calendar a change of offset leaves what Python can hold.
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise ValidationError(f"The year must be {_FIRST_YEAR} to {_LAST_YEAR}")
        return moment.astimezone(dt.UTC)


class Metadata(fields.Dict):
    """A JSON object that the client keeps with a row and that we never read."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("metadata", {"description": "Your own data, up to 16 KiB of JSON"})
        super().__init__(keys=fields.String(), **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, dict) and (fault := metadata_fault(value)):
            raise ValidationError(fault)
        return super()._deserialize(value, *args, **kwargs)  # type: ignore[no-untyped-call] # untyped there


class MetadataPatch(Metadata):
    """A change of it: a JSON merge patch (RFC 7396)."""

    def __init__(self) -> None:
        said = "A JSON merge patch (RFC 7396): members are set, null takes them away, others stay"
        super().__init__(allow_none=True, metadata={"description": said})


def rfc3339(moment: dt.datetime) -> str:
    """Write a moment in UTC."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


class AnswerSchema(Schema):
    """What the service answers with: members may be added, so clients must pass over new ones."""

    class Meta:
        """Not RAISE: with it, the OpenAPI document would rule new members out."""

        unknown = EXCLUDE


class RowSchema(AnswerSchema):
    """What rows with an id answer with."""

    id = fields.UUID(required=True)
    created_at = Timestamp(required=True)


class BoxSchema(AnswerSchema):
    """Where a face is, in pixels of the image as displayed."""

    x = fields.Integer(required=True)
    y = fields.Integer(required=True)
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)


class StoredBox(fields.Nested):
    """A box that a row holds as four numbers."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(BoxSchema, **kwargs)

    def get_value(self, *args: Any, **kwargs: Any) -> Any:
        """Read the row's box by its names."""
        return named_box(super().get_value(*args, **kwargs))


def named_box(box: Sequence[int]) -> dict[str, int]:
    """Give the four numbers of a stored box their names."""
    return dict(zip(("x", "y", "width", "height"), box, strict=True))
