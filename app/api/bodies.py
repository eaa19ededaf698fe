"""Reading request bodies: JSON that the database can store, or a refusal that says why."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

from flask import Request
from marshmallow import RAISE, Schema
from webargs import missing
from webargs.flaskparser import FlaskParser

from app.domain.errors import FieldError, Invalid, RequestError, UnsupportedMediaType

_SURROGATES = range(0xD800, 0xE000)


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


def parse_json(raw: bytes) -> Any:
    """Read JSON strictly: no NaN or Infinity, no NUL and no lone surrogates in text.

    Raises:
        RequestError: the bytes are not JSON.
        Invalid: text that PostgreSQL cannot store, with its pointers.
    """
    try:
        parsed = json.loads(raw, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise RequestError("The body is not valid JSON") from error
    # Such characters can stand in JSON only as escapes: without those there is nothing to look for.
    if b"\\u0000" in raw or b"\\ud" in raw.lower():
        problems = [FieldError(p, "holds characters that are no text") for p in _unstorable(parsed)]
        if problems:
            raise Invalid(errors=tuple(problems))
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
