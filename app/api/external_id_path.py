"""A person's external id in a path: percent-encoded, and whatever it holds, slashes too."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api
from werkzeug.routing import PathConverter, ValidationError


class ExternalIdConverter(PathConverter):
    """Reads `<external_id:…>` of a route."""

    # Werkzeug's own refuses a slash at the beginning.
    regex = ".+?"
    part_isolating = False

    def to_python(self, value: str) -> str:
        """Refuse what no external id holds, and what PostgreSQL could not be asked for."""
        if "\0" in value:
            raise ValidationError
        return value


def init_external_ids(app: Flask) -> None:
    """Let routes name a person so; before they are registered."""
    app.url_map.converters["external_id"] = ExternalIdConverter


def document_external_ids(api: Api) -> None:
    """Tell the OpenAPI document what such a part of a path is."""
    api.register_converter(ExternalIdConverter, lambda _converter: {"type": "string"})
