"""Whether a proxy answers as the API would have answered."""

from __future__ import annotations

import requests
from flask import Flask, g

from app.domain.request_errors import RequestError
from app.web.problems import Problem


def is_problem(answer: requests.Response, kind: type[RequestError]) -> bool:
    """Whether this is the document that the API would have written, with the id in the head."""
    with Flask(__name__).test_request_context():
        g.request_id = answer.headers["X-Request-Id"]
        expected = Problem.of(kind(answer.json()["detail"])).response()
    return (answer.status_code, answer.headers["Content-Type"], answer.json()) == (
        expected.status_code,
        expected.content_type,
        expected.get_json(),
    )
