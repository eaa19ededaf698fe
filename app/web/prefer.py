"""`Prefer: wait=N` (RFC 7240): hold the answer until the job ends, for N seconds at most."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from uuid import UUID

from flask import Response, make_response, request

from app.services.jobs.wait_for_job import wait_until_terminal
from app.web.auth import principal
from app.web.idempotency import REPLAYED_HEADER
from app.web.operation_doc import describe, describe_answers, response_header
from app.web.request_times import held_back

MAX_WAIT_S = 60

# RFC 7240: names in any case, other preferences beside it, parameters after it. More digits than
# these say no more than that the client waits for longer than we do.
_WAIT = re.compile(r'(?:^|,)\s*wait\s*=\s*"?(\d{1,9})\d*"?\s*(?:[;,]|$)', re.IGNORECASE | re.ASCII)

_DOCUMENTED_HEADER = {
    "name": "Prefer",
    "description": f"`wait=N`: hold the answer until the job ends, up to {MAX_WAIT_S} seconds",
    "schema": {"type": "string", "examples": ["wait=10"]},
}

View = TypeVar("View", bound=Callable[..., Any])


def preferred_wait_s() -> int:
    """Read how long the client would wait, in seconds; 0 when it does not say, or not sensibly."""
    wait = _WAIT.search(request.headers.get("Prefer", ""))
    return min(int(wait[1]), MAX_WAIT_S) if wait else 0


def answers_when_ended(read_job: Callable[[UUID], Response]) -> Callable[[View], View]:
    """Wrap a view that answers 202 with a job: wait for its end, then answer 200 with what it is.

    Stands outside `@idempotent`: nothing is kept or held open while we wait, and a replay is the
    202 of the first time.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def waiting(*args: Any, **kwargs: Any) -> Response:
            response = make_response(view(*args, **kwargs))
            wait_s = preferred_wait_s()
            accepted = response.status_code == 202  # noqa: PLR2004 - Accepted
            if not (accepted and wait_s) or REPLAYED_HEADER in response.headers:
                return response
            job_id = UUID(response.get_json()["id"])
            with held_back():
                ended = wait_until_terminal(principal().tenant_id, job_id, wait_s)
            if ended:
                response = read_job(job_id)
            response.headers["Preference-Applied"] = f"wait={wait_s}"
            return response

        describe(waiting, _DOCUMENTED_HEADER)
        describe_answers(
            waiting, {"Preference-Applied": response_header("What of `Prefer` was heeded")}
        )
        return cast("View", waiting)

    return decorate
