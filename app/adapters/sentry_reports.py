"""What of a report may leave for Sentry: an allow-list, through which everything goes.

The SDK collects more with each version. So a report is not cleaned of what must not leave; a new
one is made of what may: which error, where in the code, in which version, and our own ids.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.domain.names import TaskName
from app.domain.statement_shape import statement_shape

Report = dict[str, Any]

_PLAIN = (
    *("event_id", "timestamp", "start_timestamp", "type", "level", "platform"),
    *("release", "environment"),
)
_OF_A_FRAME = ("filename", "module", "function", "lineno", "in_app")
_OF_A_SPAN = ("span_id", "parent_span_id", "start_timestamp", "timestamp", "op", "origin", "status")
# Made of a URL, a transaction's name would be the URL.
_NAMED_BY_US = {"route", "component", "task"}
_TASKS = {task.value for task in TaskName}
# Ids that we make, numbers of shards, and PostgreSQL's codes of errors.
_TAGS = {
    "tenant_id": re.compile(r"[0-9a-f-]{36}"),
    "job_id": re.compile(r"[0-9a-f-]{36}"),
    "shard_no": re.compile(r"\d{1,6}"),
    "sqlstate": re.compile(r"[0-9A-Z]{5}"),
}


def allowed_report(event: Mapping[str, Any]) -> Report | None:
    """Make the report of an error or of a transaction that may be sent; None: nothing may."""
    report = _those(event, _PLAIN)
    if (event.get("transaction_info") or {}).get("source") in _NAMED_BY_US:
        report["transaction"] = event.get("transaction")
        report["transaction_info"] = {"source": event["transaction_info"]["source"]}
    report["tags"] = _tags(event.get("tags") or {})
    report["sdk"] = _those(event.get("sdk") or {}, ("name", "version"))
    if event.get("type") == "transaction":
        return report | _trace(event)
    errors = (event.get("exception") or {}).get("values")
    if not errors:
        return None
    return report | {"exception": {"values": [_error(error) for error in errors]}}


def _those(given: Mapping[str, Any], names: tuple[str, ...]) -> Report:
    return {name: given[name] for name in names if given.get(name) is not None}


def _tags(given: Mapping[str, Any]) -> Report:
    return {
        name: str(given[name])
        for name, form in _TAGS.items()
        if name in given and form.fullmatch(str(given[name]))
    }


def _error(error: Mapping[str, Any]) -> Report:
    """Its type and place; not its message, which may quote a name, a URL or a row."""
    frames = (error.get("stacktrace") or {}).get("frames") or ()
    return {
        **_those(error, ("type", "module")),
        "mechanism": _those(error.get("mechanism") or {}, ("type", "handled")),
        "stacktrace": {"frames": [_those(frame, _OF_A_FRAME) for frame in frames]},
    }


def _trace(event: Mapping[str, Any]) -> Report:
    """The spans, below an id of ours: a client may choose that of a trace, by a header."""
    trace_id = event["event_id"]
    whole = _those(event["contexts"]["trace"], _OF_A_SPAN)
    whole.pop("parent_span_id", None)
    spans = [_span(span) | {"trace_id": trace_id} for span in event.get("spans") or ()]
    return {"contexts": {"trace": whole | {"trace_id": trace_id}}, "spans": spans}


def _span(span: Mapping[str, Any]) -> Report:
    allowed = _those(span, _OF_A_SPAN)
    said = str(span.get("description") or "")
    if span.get("op") == "db":
        allowed["description"] = statement_shape(said)
    elif said in _TASKS:
        allowed["description"] = said
    return allowed
