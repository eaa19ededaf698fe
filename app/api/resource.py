"""A blueprint whose decorators keep our views' types, and the API object behind them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask_smorest import Api, Blueprint
from marshmallow import Schema

from app.api.bodies import BodyParser
from app.api.problems import PROBLEM_TYPE, ProblemSchema

View = TypeVar("View", bound=Callable[..., Any])


class Resource(Blueprint):  # type: ignore[misc] # flask-smorest ships no types
    """The views of one resource. Reads as: who may call, what comes in, what goes out."""

    ARGUMENTS_PARSER = BodyParser()

    def takes(self, schema: type[Schema], location: str = "json") -> Callable[[View], View]:
        """Parse and validate the body (or `query`, `files`); pass it as the first argument."""
        return cast("Callable[[View], View]", self.arguments(schema(), location=location))

    def returns(
        self, status: int, schema: type[Schema] | None = None, **documented: Any
    ) -> Callable[[View], View]:
        """Serialise what the view returns."""
        return cast("Callable[[View], View]", self.response(status, schema, **documented))

    def also_returns(self, status: int, **documented: Any) -> Callable[[View], View]:
        """Document another answer than the usual one."""
        return cast("Callable[[View], View]", self.alt_response(status, **documented))


class FaceQueueApi(Api):  # type: ignore[misc] # flask-smorest ships no types
    """flask-smorest's Api with our error documents; our own handlers answer errors."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """Leave errors to app/api/errors.py."""

    def _register_responses(self) -> None:
        """Document the one form that every error has."""
        self.spec.components.response(
            self.DEFAULT_ERROR_RESPONSE_NAME,
            {
                "description": "What went wrong (RFC 9457)",
                "content": {PROBLEM_TYPE: {"schema": ProblemSchema}},
            },
        )
        self.spec.components.response(
            "UNPROCESSABLE_ENTITY",
            {
                "description": "Fields are missing or wrong; `errors` points at each",
                "content": {PROBLEM_TYPE: {"schema": ProblemSchema}},
            },
        )
