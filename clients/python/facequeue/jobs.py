"""A job from its submission to its end."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import httpx

from facequeue.connection import call, seconds_to_wait
from facequeue.core import AuthenticatedClient
from facequeue.core.models.job import Job
from facequeue.core.models.job_create import JobCreate
from facequeue.errors import JobNotSucceeded, StillRunning

ENDED = frozenset({"succeeded", "failed", "canceled", "expired"})

_LONGEST_HELD_S = 30  # that the API holds an answer; proxies cut what takes a minute
_TO_ANSWER_S = 30
_POLL_S = 2.0  # where the API names no Retry-After


def submit_and_wait(
    client: AuthenticatedClient,
    request: JobCreate | Mapping[str, Any],
    *,
    idempotency_key: str | None = None,
    timeout: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Job:
    """Submit a job once, however often it takes to hear so, and wait until it has succeeded.

    That is: every item has its result or its error; `job.counts.failed` says how many have one.

    Args:
        client: of `connect`; its patience is for each request.
        request: the job, as a model or as the JSON that the API takes.
        idempotency_key: the same key and request give the same job, also from another process
            within 24 hours; without one, each call is a job of its own.
        timeout: seconds to wait for the end; None is until it comes.
        sleep: waits for so many seconds.

    Raises:
        JobNotSucceeded: it failed as a whole, was canceled, or expired.
        StillRunning: the time is over.
        ApiError, NotFaceQueue, NoAnswer: as facequeue.errors says.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    held = _LONGEST_HELD_S if timeout is None else int(min(timeout, _LONGEST_HELD_S))
    response = call(
        client,
        "POST",
        "/jobs",
        json=request.to_dict() if isinstance(request, JobCreate) else dict(request),
        headers={
            "Idempotency-Key": idempotency_key or uuid.uuid4().hex,
            "Prefer": f"wait={held}",
        },
        timeout=httpx.Timeout(held + _TO_ANSWER_S, connect=5),
    )
    job = Job.from_dict(response.json())
    if response.status_code == HTTPStatus.ACCEPTED:
        job = _wait(client, job, seconds_to_wait(response, _POLL_S), deadline, sleep)
    if job.state != "succeeded":
        raise JobNotSucceeded(job)
    return job


def _wait(
    client: AuthenticatedClient,
    job: Job,
    pause: float,
    deadline: float | None,
    sleep: Callable[[float], None],
) -> Job:
    while job.state not in ENDED:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise StillRunning(job)
            pause = min(pause, left)
        sleep(pause)
        response = call(client, "GET", f"/jobs/{job.id}")
        job = Job.from_dict(response.json())
        pause = seconds_to_wait(response, _POLL_S)
    return job
