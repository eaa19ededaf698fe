"""Fields and bases of schemas that every resource shares."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

NAME_LENGTH = validate.Length(min=1, max=200)
_METADATA_BYTES = 16_384
_METADATA_LEVELS = 32
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
        super().__init__(keys=fields.String(), validate=_is_small, **kwargs)


def rfc3339(moment: dt.datetime) -> str:
    """Write a moment in UTC."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _nests_within(value: Any, levels: int) -> bool:
    if not isinstance(value, (dict, list)):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_nests_within(one, levels - 1) for one in inner)


def _is_small(value: dict[str, Any]) -> None:
    # Depth first: whatever reads it again, here or at the client, recurses.
    if not _nests_within(value, _METADATA_LEVELS):
        raise ValidationError(f"Nested more than {_METADATA_LEVELS} levels deep")
    if len(json.dumps(value, ensure_ascii=False).encode()) > _METADATA_BYTES:
        raise ValidationError(f"Larger than {_METADATA_BYTES} bytes as JSON")


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
