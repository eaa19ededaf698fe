"""Reading request bodies: JSON that the database can store, or a refusal that says why."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from flask import Request
from marshmallow import RAISE, Schema
from webargs import missing
from webargs.flaskparser import FlaskParser

from app.domain.errors import FieldError, Invalid, RequestError, UnsupportedMediaType

_SURROGATES = range(0xD800, 0xE000)
# How a NUL and half of a surrogate pair stand in JSON: text in UTF-8 cannot hold them otherwise.
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)


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
            RequestError: it is not JSON.
            Invalid: it holds text that PostgreSQL cannot store.
        """
        raw = req.get_data(cache=True)
        if not raw:
            return missing
        if not req.is_json:
            raise UnsupportedMediaType("Send the body as application/json")
        return parse_json(raw)

    def load_files(self, req: Request, schema: Schema) -> Any:
        """Read the files of a form.

        Raises:
            UnsupportedMediaType: the body is no form.
        """
        if req.mimetype != "multipart/form-data":
            raise UnsupportedMediaType("Send the file as a part of multipart/form-data")
        return super().load_files(req, schema)


def parse_json(raw: bytes) -> Any:
    """Read JSON strictly: UTF-8, no NaN or Infinity, no NUL and no lone surrogates in text.

    Raises:
        RequestError: the bytes are not JSON.
        Invalid: text that PostgreSQL cannot store, with its pointers.
    """
    try:
        # Decoded here: json.loads would guess at UTF-16, and let surrogates through.
        text = raw.decode("utf-8-sig")
        parsed = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        unstorable = list(_unstorable(parsed)) if _SUSPECT_ESCAPE.search(text) else ()
    except (ValueError, RecursionError) as error:
        raise RequestError("The body is not valid JSON in UTF-8") from error
    if unstorable:
        detail = "holds characters that are no text"
        raise Invalid(errors=tuple(FieldError(pointer, detail) for pointer in unstorable))
    return parsed


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(digits: str) -> float:
    if math.isinf(number := float(digits)):
        raise ValueError(f"{digits} is too large")
    return number


def _unstorable(value: Any, pointer: str = "") -> Iterator[str]:
    if isinstance(value, str):
        if any(character == "\0" or ord(character) in _SURROGATES for character in value):
            yield pointer
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _unstorable(inner, f"{pointer}/{position}")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _unstorable(name, pointer)
            yield from _unstorable(inner, f"{pointer}/{name}")
