"""Enums in the OpenAPI document: each is one schema with a name, however often it is used.

An enum that stands inline gets a type of its own in generated clients wherever it stands, and one
that may be null gets three.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apispec import APISpec
from marshmallow import fields


def name_enums(spec: APISpec) -> Callable[..., dict[str, Any]]:
    """Return what apispec calls for each field: moves its enum to the components.

    An enum is named after its class, or as the field's metadata say by `title`.
    """

    def refer(
        _converter: Any, field: fields.Field[Any], ret: dict[str, Any], **_: Any
    ) -> dict[str, Any]:
        if "enum" not in ret:
            return {}
        values = [value for value in ret.pop("enum") if value is not None]
        is_nullable = "null" in ret.pop("type")
        title = ret.pop("title", None)
        name = field.enum.__name__ if isinstance(field, fields.Enum) else title
        schema = _shared(spec, name, {"type": "string", "enum": values})
        return {"anyOf": [schema, {"type": "null"}]} if is_nullable else schema

    return refer


def _shared(spec: APISpec, name: str | None, schema: dict[str, Any]) -> dict[str, Any]:
    if name is None:
        return schema  # a test asks for the name
    known = spec.components.schemas.setdefault(name, schema)
    if known != schema:
        raise LookupError(f"Two schemas are called {name}: {known} and {schema}")
    return {"$ref": f"#/components/schemas/{name}"}
