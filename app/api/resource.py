"""A blueprint whose decorators keep our views' types, and the API object behind them all."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

from flask_smorest import Api, Blueprint
from marshmallow import Schema

from app.api.examples import example_of
from app.api.links import add_links
from app.web.bodies import BodyParser
from app.web.body_limits import Limit, mark_body_limit, ordinary_body
from app.web.operation_doc import (
    COMMON_HEADERS,
    ERROR_HEADERS,
    add_answer_headers,
    add_request_headers,
    describe,
    header_references,
    response_header,
)
from app.web.pagination import page_schema
from app.web.problems import PROBLEM_TYPE, ProblemSchema

# The one media type of no special form that code generators know what to do with.
BYTES = "application/octet-stream"

# Two lists of the same have one schema, or the document would name the second FacePage1.
_page_schema = cache(page_schema)

View = TypeVar("View", bound=Callable[..., Any])


class Resource(Blueprint):  # type: ignore[misc] # flask-smorest ships no types
    """The views of one resource. Reads as: who may call, what comes in, what goes out."""

    ARGUMENTS_PARSER = BodyParser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks += [add_request_headers, add_answer_headers, add_links]

    def takes(
        self, schema: type[Schema], location: str = "json", *, limit: Limit = ordinary_body
    ) -> Callable[[View], View]:
        """Parse and validate the body (or `query`, `files`); pass it as the first argument."""
        parse = self.arguments(schema(), location=location, example=example_of(schema))

        def decorate(view: View) -> View:
            parsing = parse(view)
            mark_body_limit(parsing, limit)
            return cast("View", parsing)

        return decorate

    def returns(
        self, status: int, schema: type[Schema] | None = None, **documented: Any
    ) -> Callable[[View], View]:
        """Serialise what the view returns."""
        documented.setdefault("example", schema and example_of(schema))
        return cast("Callable[[View], View]", self.response(status, schema, **documented))

    def returns_page(self, item: type[Schema], **headers: Any) -> Callable[[View], View]:
        """Serialise a page of such items."""
        example = {"data": [example_of(item)], "next_cursor": None}
        headers["Link"] = response_header('The next page, as `rel="next"`; absent on the last')
        return self.returns(200, _page_schema(item), example=example, headers=headers)

    def streams(
        self, line: type[Schema], media_type: str, description: str
    ) -> Callable[[View], View]:
        """Document lines, each of a schema, and bytes for clients that do not know their type."""
        documented = self.returns(200, line, content_type=media_type, description=description)
        as_bytes = {BYTES: {"schema": {"type": "string", "format": "binary"}}}

        def decorate(view: View) -> View:
            streaming = documented(view)
            describe(streaming, responses={200: {"content": as_bytes}})
            return streaming

        return decorate

    def also_returns(self, status: int, **documented: Any) -> Callable[[View], View]:
        """Document another answer than the usual one."""
        if schema := documented.get("schema"):
            documented.setdefault("example", example_of(schema))
        return cast("Callable[[View], View]", self.alt_response(status, **documented))


class FaceQueueApi(Api):  # type: ignore[misc] # flask-smorest ships no types
    """flask-smorest's Api with our error documents; our own handlers answer errors."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """Leave errors to app/web/error_responses.py."""

    def _register_pagination_header(self) -> None:
        """Leave out the header that flask-smorest's own pages would have: ours have `Link`."""

    def _register_responses(self) -> None:
        """Document the one form that every error has."""
        content = {PROBLEM_TYPE: {"schema": ProblemSchema, "example": example_of(ProblemSchema)}}
        for name, header in (COMMON_HEADERS | ERROR_HEADERS).items():
            self.spec.components.header(name, header)
        headers = header_references(COMMON_HEADERS | ERROR_HEADERS)
        for name, description in (
            (self.DEFAULT_ERROR_RESPONSE_NAME, "What went wrong (RFC 9457)"),
            ("UNPROCESSABLE_ENTITY", "Fields are missing or wrong; `errors` points at each"),
        ):
            self.spec.components.response(
                name, {"description": description, "content": content, "headers": headers}
            )
