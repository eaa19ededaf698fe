"""What our decorators add to the OpenAPI description of the view that they wrap."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

_REQUEST_HEADERS = "request_headers"
_ANSWER_HEADERS = "answer_headers"


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


def describe_answers(view: Callable[..., Any], headers: dict[str, Any]) -> None:
    """Add headers that every answer of a view may carry, unless it is an error."""
    said = deepcopy(getattr(view, "_apidoc", {}))
    said.setdefault(_ANSWER_HEADERS, {}).update(headers)
    vars(view)["_apidoc"] = said


def add_answer_headers(operation: dict[str, Any], said: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Write those of `describe_answers`, and those of all answers; flask-smorest calls this."""
    everywhere = header_references(COMMON_HEADERS) | said.get(_ANSWER_HEADERS, {})
    for answer in operation.get("responses", {}).values():
        if "description" in answer:  # not one that stands among the components
            answer["headers"] = everywhere | answer.get("headers", {})
    return operation


def header_references(names: Iterable[str]) -> dict[str, Any]:
    """Refer to headers among the document's components."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


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


# Sent with every answer of a call.
COMMON_HEADERS = {
    "X-Request-Id": response_header(
        "The request's id in the service's logs; yours, if it was sane"
    ),
    "RateLimit": response_header("What is left of this minute, and when the next one begins"),
    "RateLimit-Policy": response_header("So many requests a key may make in so many seconds"),
}
# Sent with errors only, where they help.
ERROR_HEADERS = {
    "Retry-After": response_header("Seconds after which to try again", type="integer"),
    "WWW-Authenticate": response_header("401: how to authenticate"),
    "Allow": response_header("405: the methods that the resource knows"),
    "Accept-Encoding": response_header("415: how a body may be packed"),
}
LOCATION = {"Location": response_header("Where it is read", format="uri-reference")}
