"""Which requests a read replica may answer: reads, unless a client says `Cache-Control: no-cache`.

Whoever has written reads what it wrote, also within the same second: the position of each key's
last write is noted before its answer is sent.
"""

from __future__ import annotations

from flask import Flask, Response, g, request

from app.config import Settings
from app.services.tenancy.own_writes import note_write, see_own_writes
from app.web.auth import principal

_READING = frozenset({"GET", "HEAD"})
_REFUSED = range(400, 500)


def init_own_writes(app: Flask, settings: Settings) -> None:
    """Say of each request how old what it reads may be; without a replica nothing is asked."""
    if settings.database_replica_url is None:
        return
    app.before_request(_say_how_old)
    app.after_request(_note_write)
    app.teardown_request(_end)


def _say_how_old() -> None:
    if request.method in _READING and not request.cache_control.no_cache:
        see_own_writes(lambda: principal().key_id)


def _note_write(response: Response) -> Response:
    writes = request.method not in _READING and response.status_code not in _REFUSED
    if writes and g.get("principal") is not None:
        note_write(principal().key_id)
    return response


def _end(_error: BaseException | None) -> None:
    see_own_writes(None)
