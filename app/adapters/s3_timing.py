"""Times each call of an S3 client, by the events that botocore sends."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any

from app.metrics.storage import CallOutcome, record_s3_call

_BEGAN = "facequeue_began"


def time_calls(client: Any) -> Any:
    """The client, whose calls are timed from now on, up to the headers of their last answer."""
    events = client.meta.events
    events.register("before-call.s3", _begin)
    events.register("after-call.s3", _end)
    events.register("after-call-error.s3", _fail)
    return client


def _begin(context: dict[str, Any], **_: Any) -> None:
    context[_BEGAN] = time.perf_counter()


def _end(model: Any, http_response: Any, context: dict[str, Any], **_: Any) -> None:
    _record(model.name, _outcome(http_response.status_code), context)


def _fail(context: dict[str, Any], event_name: str, **_: Any) -> None:
    _record(event_name.rpartition(".")[2], "failed", context)


def _record(operation: str, outcome: CallOutcome, context: dict[str, Any]) -> None:
    began = context.get(_BEGAN)
    if began is not None:  # else somebody else answered before S3 was asked
        record_s3_call(operation, outcome, time.perf_counter() - began)


def _outcome(status: int) -> CallOutcome:
    if status < HTTPStatus.BAD_REQUEST:
        return "ok"
    return "refused" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "failed"
