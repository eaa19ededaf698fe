"""Reading request bodies and queries: what webargs hands to a schema."""

from __future__ import annotations

from typing import Any

from flask import Request, g
from marshmallow import RAISE, Schema
from webargs import missing
from webargs.flaskparser import FlaskParser

from app.domain.request_errors import UnsupportedMediaType
from app.web.body_limits import body_limit
from app.web.json_text import parse_json


class BodyParser(FlaskParser):
    """webargs' parser, stricter: unknown names are errors wherever they stand."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - webargs declares it so
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": RAISE,
        "form": RAISE,
        "files": RAISE,
    }

    def load_json(self, req: Request, schema: Schema) -> Any:  # noqa: ARG002 - webargs' signature
        """Read the JSON body.

        Raises:
            UnsupportedMediaType: there is a body, but it does not say that it is JSON.
            PayloadTooLarge: it is larger than the route takes.
            RequestError: it is not JSON.
            Invalid: it holds text that PostgreSQL cannot store.
        """
        return json_of_request(req)

    def load_files(self, req: Request, schema: Schema) -> Any:
        """Read the files of a form.

        Raises:
            UnsupportedMediaType: the body is no form.
        """
        if req.mimetype != "multipart/form-data":
            raise UnsupportedMediaType("Send the file as a part of multipart/form-data")
        return super().load_files(req, schema)


def json_of_request(req: Request) -> Any:
    """Read the body as JSON, once however often it is asked for; `missing` when it is empty.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, RequestError, Invalid: as `load_json` says.
    """
    if "json_body" not in g:
        raw = req.get_data(cache=True)
        if raw and not req.is_json:
            raise UnsupportedMediaType("Send the body as application/json")
        g.json_body = parse_json(raw, body_limit().values) if raw else missing
    return g.json_body
