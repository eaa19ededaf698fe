"""What can go wrong, as exceptions.

FaceQueueError
├── NoAnswer            nobody answers, or the answer broke off, after all tries
├── NotFaceQueue        something else answers at this address
├── ApiError            the API said no: `status`, `code`, `problem`, `request_id`
│   ├── Unauthenticated   401
│   ├── Forbidden         403
│   ├── NotFound          404
│   ├── Conflict          409, 412
│   ├── Invalid           400, 413, 415, 422: `reasons` points at each fault
│   ├── RateLimited       429
│   └── Unavailable       5xx
├── JobNotSucceeded     the job ended as failed, canceled or expired: `job`
└── StillRunning        the job goes on, but the time to wait is over: `job`
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from facequeue.core.models.job import Job


class FaceQueueError(Exception):
    """Anything of this package."""


class NoAnswer(FaceQueueError):
    """Nobody answers, or the answer broke off, after all tries. `__cause__` is httpx's reason."""


class NotFaceQueue(FaceQueueError):
    """What answers at this address is something else, such as a web site."""


class ApiError(FaceQueueError):
    """The API answered with a problem document (RFC 9457)."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code", f"http_{status}"))
        self.request_id: str | None = problem.get("request_id")
        self.reasons = [
            (str(error.get("pointer", "")), str(error.get("detail", "")))
            for error in problem.get("errors") or ()
        ]
        detail = problem.get("detail") or problem.get("title") or "no reason was given"
        reasons = "; ".join(f"{pointer}: {reason}" for pointer, reason in self.reasons)
        super().__init__(f"{status} {self.code}: {detail}" + (f" [{reasons}]" if reasons else ""))


class Unauthenticated(ApiError):
    """There is no such key, or it was revoked or has ended."""


class Forbidden(ApiError):
    """The key may not do this."""


class NotFound(ApiError):
    """There is no such thing, or it is another tenant's."""


class Conflict(ApiError):
    """The state of things forbids it."""


class Invalid(ApiError):
    """The request, or the file in it, is wrong."""


class RateLimited(ApiError):
    """Too many requests, after all tries."""


class Unavailable(ApiError):
    """The service cannot serve, after all tries."""


class JobNotSucceeded(FaceQueueError):
    """A job ended as failed, canceled or expired."""

    def __init__(self, job: Job) -> None:
        self.job = job
        super().__init__(f"job {job.id} ended as {job.state}")


class StillRunning(FaceQueueError):
    """A job goes on, but the time to wait for it is over."""

    def __init__(self, job: Job) -> None:
        self.job = job
        super().__init__(f"job {job.id} is still {job.state}")


_BY_STATUS: dict[int, type[ApiError]] = {
    HTTPStatus.BAD_REQUEST: Invalid,
    HTTPStatus.UNAUTHORIZED: Unauthenticated,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.PRECONDITION_FAILED: Conflict,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Invalid,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Invalid,
    HTTPStatus.UNPROCESSABLE_ENTITY: Invalid,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimited,
}


def checked(response: httpx.Response) -> httpx.Response:
    """Return an answer that is a success.

    Raises:
        ApiError: (one of its kinds) it is a problem.
        NotFaceQueue: it is no answer of FaceQueue's API.
    """
    if not response.is_success:
        response.read()  # of a stream, nothing was read yet
        status = response.status_code
        kind = Unavailable if response.is_server_error else _BY_STATUS.get(status, ApiError)
        raise kind(status, problem_of(response))
    if response.headers.get("Content-Type", "").startswith("text/"):
        raise NotFaceQueue(f"what answers at {response.url.host} is not FaceQueue")
    return response


def problem_of(response: httpx.Response) -> dict[str, Any]:
    """Read a problem document; of another answer, as much as there is of one."""
    try:
        problem = response.json()
    except ValueError:
        return {"detail": response.reason_phrase}
    return problem if isinstance(problem, dict) else {"detail": str(problem)}
