"""JSON that the database can store, or a refusal that says why; its cost is known beforehand."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn, cast

from app.domain.request_errors import (
    FieldError,
    Invalid,
    PayloadTooLarge,
    RequestError,
)
from app.web.problems import MOST_FIELD_ERRORS, pointer_step
from app.web.turns import give_way, in_turns

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
# How a NUL and half of a surrogate pair stand in JSON: text in UTF-8 cannot hold them otherwise.
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)
# int() takes the square of the time for twice the digits.
_MOST_DIGITS = 100
_EVERY = 2000  # values, a millisecond or two
_SLICE = 200  # elements of a list, such as items
# A member has a name and may have a text: two strings, four quotation marks.
_MOST_QUOTES = 4


def parse_json(raw: bytes, most_values: int) -> Any:
    """Read JSON strictly: UTF-8, no NaN or Infinity, no NUL and no lone surrogates in text.

    Raises:
        RequestError: the bytes are not JSON.
        PayloadTooLarge: they hold more than `most_values` members and elements.
        Invalid: text that PostgreSQL cannot store, with its pointers.
    """
    try:
        # Decoded here: json.loads would guess at UTF-16, and let surrogates through.
        text = raw.decode("utf-8-sig")
        _require_few_values(text, most_values)
        numbers = _Numbers()
        parsed = json.loads(
            text, parse_constant=_refuse, parse_float=numbers.finite, parse_int=numbers.whole
        )
    except (ValueError, RecursionError) as error:
        raise RequestError("The body is not valid JSON in UTF-8") from error
    if "\\u" in text and _SUSPECT_ESCAPE.search(text):
        _require_storable(parsed)
    return parsed


def canonical(parsed: Any) -> Iterator[bytes]:
    """Write what `parse_json` gave so that equal values give equal bytes: in pieces, not as JSON.

    Raises:
        RequestError: it nests too deep.
    """
    try:
        if not isinstance(parsed, dict):
            yield _sorted_json(parsed)
            return
        for name in sorted(parsed):
            value = parsed[name]
            yield _sorted_json(name)
            slices = range(0, len(value), _SLICE) if isinstance(value, list) else ()
            for first in slices:
                yield _sorted_json(value[first : first + _SLICE])
                give_way()
            if not slices:
                yield _sorted_json(value)
    except RecursionError as error:
        raise RequestError("The body nests too deep") from error


def _sorted_json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _require_few_values(text: str, most: int) -> None:
    if len(text) // 2 < most:  # a value and what separates it from the next
        return
    bare = text.replace("\\\\", "").replace('\\"', "")
    give_way()
    too_many = PayloadTooLarge(f"The body holds more than {most} members and elements")
    if bare.count('"') > _MOST_QUOTES * (most + 1):
        raise too_many
    # What is in a text separates nothing. All this is done without a step for each character.
    outside = "".join(bare.split('"')[::2])
    give_way()
    opened = outside.count("[") + outside.count("{")
    if opened != outside.count("]") + outside.count("}"):
        raise ValueError("not all is closed that was opened")
    if opened + outside.count(",") > most:
        raise too_many


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


class _Numbers:
    """Reads numbers. The parser asks for each: the one place where it lets others run."""

    def __init__(self) -> None:
        self._read = 0

    def finite(self, digits: str) -> float:
        self._count()
        if math.isinf(number := float(digits)):
            raise ValueError(f"{digits} is too large")
        return number

    def whole(self, digits: str) -> int:
        self._count()
        if len(digits) > _MOST_DIGITS:
            raise ValueError(f"{len(digits)} digits are too many")
        return int(digits)

    def _count(self) -> None:
        self._read += 1
        if self._read % _EVERY == 0:
            give_way()


def _require_storable(parsed: Any) -> None:
    found = tuple(islice(_unstorable(parsed), MOST_FIELD_ERRORS))
    if found:
        detail = "holds characters that are no text"
        raise Invalid(errors=tuple(FieldError(pointer, detail) for pointer in found))


def _unstorable(parsed: Any) -> Iterator[str]:
    for value, place in in_turns(_in_order(parsed), _EVERY):
        if isinstance(value, str) and _NO_TEXT.search(value):
            yield _pointer(place)


# Where a value stands: its parent's place, and the step from there.
_Place = tuple[Any, str] | None


def _in_order(parsed: Any) -> Iterator[tuple[Any, _Place]]:
    """Go through all names and values, without the recursion that a deep document would need."""
    waiting = [iter([(parsed, cast("_Place", None))])]
    while waiting:
        for value, place in waiting[-1]:
            yield value, place
            if isinstance(value, (list, dict)):
                waiting.append(_within(value, place))
                break
        else:
            waiting.pop()


def _within(container: list[Any] | dict[str, Any], place: _Place) -> Iterator[tuple[Any, _Place]]:
    if isinstance(container, list):
        for at, one in enumerate(container):
            yield one, (place, str(at))
    else:
        for name, inner in container.items():
            yield name, place
            yield inner, (place, name)


def _pointer(place: _Place) -> str:
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(pointer_step(step))
    return "".join(reversed(steps))
