from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields

from app.domain.metadata import METADATA_BYTES, metadata_fault
from app.domain.request_errors import RequestError
from app.web.json_text import parse_json

_MOST_VALUES = 1000


class MetadataFilter(fields.Field[dict[str, Any]]):
    """A JSON object in a query: rows whose metadata hold all of it."""

    def __init__(self) -> None:
        said = 'A JSON object, such as `{"team":"night"}`: whose metadata hold all of it'
        super().__init__(metadata={"type": "string", "description": said})

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        raw = str(value).encode("utf-8", "surrogatepass")
        if len(raw) > METADATA_BYTES:
            raise ValidationError(f"Larger than {METADATA_BYTES} bytes")
        try:
            wanted = parse_json(raw, _MOST_VALUES)
        except RequestError as error:
            raise ValidationError("Not a JSON object that metadata could hold") from error
        if not isinstance(wanted, dict):
            raise ValidationError("Not a JSON object")
        if fault := metadata_fault(wanted):
            raise ValidationError(fault)
        return wanted
