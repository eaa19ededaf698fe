"""Bases of what clients send: how much there is of it is looked at before what it is."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validate

from app.web.problems import MOST_FIELD_ERRORS, Untold


class BoundedList(fields.List[Any]):
    """A list whose length is looked at before its elements are."""

    def __init__(
        self, inner: fields.Field[Any], *, most: int, least: int = 0, **kwargs: Any
    ) -> None:
        self._length = validate.Length(min=least or None, max=most)
        super().__init__(inner, validate=self._length, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, list):
            self._length(value)
        return super()._deserialize(value, *args, **kwargs)


class RequestSchema(Schema):
    """What a client sends: names that we do not know are errors, the first of them by name."""

    @pre_load
    def _not_too_many_unknown(self, data: Any, **_: Any) -> Any:
        if isinstance(data, dict) and len(data) > len(self.fields) + MOST_FIELD_ERRORS:
            unknown = [name for name in data if name not in self.fields]
            first = {name: ["Unknown field."] for name in unknown[:MOST_FIELD_ERRORS]}
            raise ValidationError({**first, "_schema": [Untold(len(unknown) - len(first))]})
        return data
