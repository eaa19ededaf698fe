"""What our decorators add to the OpenAPI description of the view that they wrap."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

_REQUEST_HEADERS = "request_headers"


def describe(view: Callable[..., Any], *request_headers: dict[str, Any], **operation: Any) -> None:
    """Add to a view's description: headers that a client may send, and members of the operation.

    Args:
        view: the wrapper, which carries what inner decorators have said.
        request_headers: of each, `name`, `description` and `schema`.
        operation: such as `operationId`, or members that begin `x-`.
    """
    said = deepcopy(getattr(view, "_apidoc", {}))  # wraps() shares it with the view within
    said.setdefault("manual_doc", {}).update(operation)
    said.setdefault(_REQUEST_HEADERS, []).extend(request_headers)
    vars(view)["_apidoc"] = said


def add_request_headers(
    operation: dict[str, Any], said: dict[str, Any], **_: Any
) -> dict[str, Any]:
    """Write the headers of `describe` beside the other parameters; flask-smorest calls this."""
    headers = [{"in": "header", **header} for header in said.get(_REQUEST_HEADERS, ())]
    if headers:
        operation["parameters"] = [*operation.get("parameters", ()), *headers]
    return operation


def response_header(description: str, **schema: Any) -> dict[str, Any]:
    """Describe a header of an answer; a string unless `schema` says otherwise."""
    return {"description": description, "schema": {"type": "string", **schema}}
