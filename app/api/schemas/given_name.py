from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, fields

from app.domain.given_names import MOST_GIVEN, normal_name
from app.web.fields import NAME_LENGTH

_NO_TEXT = re.compile("[\0\ud800-\udfff]")


class GivenName(fields.String):
    """A name that people give, read in the form in which it is kept; its length is that form's."""

    def __init__(self, description: str | None = None, **kwargs: Any) -> None:
        said = {"description": description} if description else {}
        super().__init__(validate=NAME_LENGTH, metadata=said, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        name: str = super()._deserialize(value, *args, **kwargs)
        if len(name) > MOST_GIVEN:
            NAME_LENGTH(name)
        # A body has been searched for them, a query has not.
        if _NO_TEXT.search(name):
            raise ValidationError("holds characters that are no text")
        return normal_name(name)
