"""Answers packed with gzip for clients that say they read it."""

from __future__ import annotations

import gzip
from http import HTTPStatus

from flask import Flask, Response, request

# Below it the head and the packet weigh more than what is saved.
_WORTH_IT = 1024
_LEVEL = 5
_TEXTS = ("text/", "application/json", "application/problem+json")


def init_packed_answers(app: Flask) -> None:
    """Pack what is large enough. Before others that change answers: this is done after them."""
    app.after_request(_pack)


def _pack(response: Response) -> Response:
    has_no_body = response.status_code in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
    is_text = (response.mimetype or "").startswith(_TEXTS)
    if has_no_body or not is_text or response.is_streamed:
        return response
    response.vary.add("Accept-Encoding")
    if "Content-Encoding" in response.headers or not _is_read():
        return response
    if (response.content_length or 0) >= _WORTH_IT:
        # The ETag stays: of a row it says which version If-Match means, however it was packed.
        response.set_data(gzip.compress(response.get_data(), _LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _is_read() -> bool:
    # What a client does not name, or only by *, it may not be able to read after all.
    asked = request.accept_encodings
    return any(coding in {"gzip", "x-gzip"} and quality > 0 for coding, quality in asked)
