"""`@idempotent`: a POST with an Idempotency-Key has its effect once, and its answer is replayed.

Stands between `@requires` and `@takes`. No refusal is kept: what was wrong may be right the next
time, and whom it was told may be another than who asks again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, make_response, request
from webargs import missing

from app.domain.request_errors import (
    FieldError,
    RequestError,
)
from app.services.tenancy.run_once import Answer, KeyedRequest, run_once
from app.web.auth import principal
from app.web.bodies import json_of_request
from app.web.json_text import canonical
from app.web.operation_doc import describe, describe_answers, response_header

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"

_KEY_FORM = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Retry-After")
_READ_BYTES = 1 << 16

_DOCUMENTED_HEADER = {
    "name": KEY_HEADER,
    "description": "The same key and body within 24 hours get the first answer again",
    "schema": {"type": "string", "pattern": f"^{_KEY_FORM.pattern}$"},
}

View = TypeVar("View", bound=Callable[..., Any])


def idempotent(view: View) -> View:
    """Make a POST safe to repeat."""
    return _wrapped(view, shows_secret=False)


def idempotent_unless(has_no_effect: Callable[[], bool]) -> Callable[[View], View]:
    """Make a POST safe to repeat, except a request that changes nothing: its key is let go."""
    return lambda view: _wrapped(view, shows_secret=False, has_no_effect=has_no_effect)


def idempotent_secret(view: View) -> View:
    """Make a POST safe to repeat whose answer shows a secret: kept encrypted, for ten minutes."""
    return _wrapped(view, shows_secret=True)


def _wrapped(
    view: View, *, shows_secret: bool, has_no_effect: Callable[[], bool] = lambda: False
) -> View:
    @wraps(view)
    def once(*args: Any, **kwargs: Any) -> Response:
        if KEY_HEADER not in request.headers or has_no_effect():
            return make_response(view(*args, **kwargs))
        keyed = KeyedRequest(principal().tenant_id, _key(), _fingerprint(), shows_secret)
        answer, is_replay = run_once(keyed, lambda: _kept(make_response(view(*args, **kwargs))))
        response = Response(answer.body, answer.status, answer.headers)
        if is_replay:
            response.headers[REPLAYED_HEADER] = "true"
        return response

    describe(once, _DOCUMENTED_HEADER)
    replayed = response_header("`true` when this is the answer to an earlier request")
    describe_answers(once, {REPLAYED_HEADER: replayed})
    vars(once)["is_idempotent"] = True
    return cast("View", once)


def _kept(response: Response) -> Answer:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return Answer(response.status_code, headers, response.get_data())


def _key() -> str:
    key = request.headers[KEY_HEADER]
    if not _KEY_FORM.fullmatch(key):
        detail = "1 to 255 visible ASCII characters"
        raise RequestError(
            f"{KEY_HEADER} is not usable: {detail}", errors=(FieldError(f"/{KEY_HEADER}", detail),)
        )
    return key


def _fingerprint() -> bytes:
    """Digest who asks, with which rights, and all that the request asks.

    Of JSON, what it means: its members may stand in any order. Of a form, the parts: its boundary
    differs each time.

    Raises:
        RequestError: (or one of its kinds) the body cannot be read.
    """
    asking = principal()
    digest = hashlib.sha256(f"{request.method} {request.full_path}\n".encode())
    digest.update(f"{asking.key_id} {sorted(asking.scopes)}\n".encode())
    if request.is_json:
        meant = json_of_request(request)
        if meant is not missing:
            for piece in canonical(meant):
                digest.update(piece)
    elif request.mimetype != "multipart/form-data":
        digest.update(request.get_data(cache=True))
    else:
        _add_parts(digest)
    return digest.digest()


def _add_parts(digest: hashlib._Hash) -> None:
    for name, value in sorted(request.form.items(multi=True)):
        digest.update(f"{name}={value}\n".encode())
    for name, file in sorted(request.files.items(multi=True)):
        digest.update(f"{name}:{file.mimetype}\n".encode())
        while piece := file.stream.read(_READ_BYTES):
            digest.update(piece)
        file.stream.seek(0)
