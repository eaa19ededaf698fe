"""What a statement looks like without anything that it carries: fit for logs and for reports."""

from __future__ import annotations

import re

MOST_CHARACTERS = 500

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
# A quote that nothing ends takes the rest along: better too little than a value.
_QUOTED = re.compile(r"(?:\b[eEbBxX]|\b[uU]&)?'(?:[^'\\]|''|\\.)*(?:'|\Z)", re.DOTALL)
_DOLLARS = re.compile(r"\$(\w*)\$.*?(?:\$\1\$|\Z)", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w%])[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b")
_PARAMETER = re.compile(r"%\(\w+\)s|%s")
_LIST = re.compile(r"(\?(?:::\w+(?:\[\])?)?)(?:\s*,\s*\?(?:::\w+(?:\[\])?)?)+")
_ROWS = re.compile(r"(\(\?(?:, …)?\))(?:\s*,\s*\(\?(?:, …)?\))+")
_SPACE = re.compile(r"\s+")


def statement_shape(statement: str) -> str:
    """Give the text of a statement with `?` for each parameter and literal, on one line.

    Lists of parameters and of rows count as one: an insert has the same shape whatever its size.
    Anonymous code within dollars goes whole. At most MOST_CHARACTERS, with `…` for the rest.
    """
    shape = _DOLLARS.sub("?", statement)
    shape = _QUOTED.sub("?", shape)
    shape = _COMMENT.sub(" ", shape)
    shape = _PARAMETER.sub("?", shape)
    shape = _NUMBER.sub("?", shape)
    shape = _SPACE.sub(" ", shape).strip()
    shape = _ROWS.sub(r"\1, …", _LIST.sub(r"\1, …", shape))
    return shape if len(shape) <= MOST_CHARACTERS else shape[: MOST_CHARACTERS - 1] + "…"
