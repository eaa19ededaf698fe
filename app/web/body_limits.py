"""How large a body may be: bytes, and values of JSON, of which each costs far more than its bytes.

`takes` marks a view with the limit of its body; whoever reads the body asks for it here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app, request

from app.config import Settings

_MIB = 1_048_576
# A multipart body is a little larger than the file in it.
_FORM_OVERHEAD = 65_536
# Metadata, the largest thing in an ordinary body, is 16 KiB: eight thousand values at most.
_ORDINARY_VALUES = 20_000
# Of ordinary names; one with every URI at its longest needs four times as much.
_ITEM_BYTES = 1024
# An item has eight members. Some more, so that unknown ones are told by their names.
_ITEM_VALUES = 12

_MARK = "body_limit"


@dataclass(frozen=True)
class BodyLimit:
    """So many bytes when decoded, and so many JSON values: members, elements and the like."""

    size: int
    values: int


Limit = Callable[[Settings], BodyLimit]


def ordinary_body(_settings: Settings) -> BodyLimit:
    """What every JSON body may be that is no job."""
    return BodyLimit(_MIB, _ORDINARY_VALUES)


def job_body(settings: Settings) -> BodyLimit:
    """Room for a job of `MAX_JOB_ITEMS` items."""
    items = settings.max_job_items
    return BodyLimit(_MIB + items * _ITEM_BYTES, _ORDINARY_VALUES + items * _ITEM_VALUES)


def upload_body(settings: Settings) -> BodyLimit:
    """Room for a form with an image of `MAX_UPLOAD_SIZE` bytes."""
    return BodyLimit(settings.max_upload_size + _FORM_OVERHEAD, 0)


def largest_body(settings: Settings) -> int:
    """No body of any route may have more bytes."""
    return max(kind(settings).size for kind in (ordinary_body, job_body, upload_body))


def mark_body_limit(view: Callable[..., object], limit: Limit) -> None:
    """Say how large a view's body may be; what wraps the view says it too."""
    vars(view)[_MARK] = limit


def body_limit() -> BodyLimit:
    """Return the limit of the request that is being served."""
    view = current_app.view_functions.get(request.endpoint or "")
    limit: Limit = getattr(view, _MARK, ordinary_body)
    return limit(current_app.config["SETTINGS"])
