"""What a statement looks like without anything that it carries: fit for logs and for reports."""

from __future__ import annotations

import re

MOST_CHARACTERS = 500

# Read from left to right as PostgreSQL does, so that a quote within a comment, or dollars within a
# quote, begin nothing. What nothing ends takes the rest along: better too little than a value.
_TOKEN = re.compile(
    r"""
    (?P<comment>   --[^\n]* )
  | (?P<nested>    /\* )
  | (?P<escaped>   \b[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z) )
  | (?P<quoted>    (?:\b[bBxXnN]|\b[uU]&)?'(?:[^']|'')*(?:'|\Z) )
  | (?P<dollars>   (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z) )
  | (?P<name>      "(?:[^"]|"")*" | [^\W\d][\w$]* )
  | (?P<unended>   ".* )
  | (?P<parameter> %\(\w+\)s | %s | \$\d+ )
  | (?P<number>    \.?\d[\w.]*(?:(?<=[eE])[+-]\d+)? )
  | (?P<space>     \s+ )
    """,
    re.DOTALL | re.VERBOSE,
)
_SHOWN = {"name": None, "comment": " ", "nested": " ", "space": " "}
_COMMENT_EDGE = re.compile(r"/\*|\*/")
# Rows that follow a COPY in a script.
_COPIED = re.compile(r"(\bFROM\s+STDIN\b[^;]*;).*", re.DOTALL | re.IGNORECASE)

_CAST = r"(?:::\w+(?:\[\])?)?"
_SIGNED = re.compile(r"(?<=[(,=<>])( ?)[+-] ?\?")
_LIST = re.compile(rf"(\?{_CAST})(?: ?, ?\?{_CAST})+")
_ROWS = re.compile(r"(\([^()]*\?[^()]*\))(?: ?, ?\1)+")
_SPACE = re.compile(r" {2,}")


def statement_shape(statement: str) -> str:
    """Give the text of a statement with `?` for each parameter and literal, on one line.

    Lists of parameters and of rows count as one: an insert has the same shape whatever its size.
    Anonymous code within dollars goes whole. At most MOST_CHARACTERS, with `…` for the rest.
    """
    shape = _SPACE.sub(" ", _without_values(_COPIED.sub(r"\1", statement))).strip()
    shape = _LIST.sub(r"\1, …", _SIGNED.sub(r"\1?", shape))
    shape = _ROWS.sub(r"\1, …", shape)
    return shape if len(shape) <= MOST_CHARACTERS else shape[: MOST_CHARACTERS - 1] + "…"


def _without_values(statement: str) -> str:
    parts: list[str] = []
    at = 0
    while found := _TOKEN.search(statement, at):
        kind = found.lastgroup if found.lastgroup != "tag" else "dollars"
        parts.append(statement[at : found.start()])
        shown = _SHOWN.get(str(kind), "?")
        parts.append(found.group() if shown is None else shown)
        at = _end_of_comment(statement, found.start()) if kind == "nested" else found.end()
    return "".join((*parts, statement[at:]))


def _end_of_comment(statement: str, start: int) -> int:
    """PostgreSQL's comments hold comments."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(statement, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(statement)
