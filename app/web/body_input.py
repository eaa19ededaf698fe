"""The body of a request as a stream that ends where the route's limit does, however it is sent.

Nothing is read, and nothing refused, before somebody asks for the body: a stranger learns from it
no more than from a request without one.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import IO, cast

from flask import Flask, request

from app.domain.request_errors import (
    ContentEncodingUnknown,
    PayloadTooLarge,
    RequestError,
)
from app.web.body_limits import body_limit
from app.web.turns import in_turns

_PIECE = 65_536
_EVERY = 8  # pieces
_GZIP = zlib.MAX_WBITS | 16
_NOT_GZIP = "The body is not what `Content-Encoding: gzip` says"


def init_body_input(app: Flask) -> None:
    """Let every view, parser and form read its body through the limit of its route."""
    app.before_request(_bound)


def _bound() -> None:
    request.stream = cast("IO[bytes]", io.BufferedReader(_BodyInput(), _PIECE))


class _BodyInput(io.RawIOBase):
    """A file over pieces that are fetched when they are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces = _decoded()
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override] # what io gives it
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


def _decoded() -> Iterator[bytes]:
    """Yield the body's bytes as its media type means them.

    Raises:
        PayloadTooLarge: there are more than the route takes, sent or unpacked.
        RequestError: they broke off, or are not packed as they say.
        ContentEncodingUnknown: they are packed in a way that we do not know.
    """
    limit = body_limit().size
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in {"identity", "gzip", "x-gzip", ""}:
        raise ContentEncodingUnknown(f"Content-Encoding: {coding[:50]} is not one of: gzip")
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    sent = _bounded(_sent(), limit)
    whole = _bounded(_unpacked(sent), limit) if "gzip" in coding else sent
    # A fast client's pieces are all there already: none of them is waited for.
    yield from in_turns(whole, _EVERY)


def _bounded(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        yield piece


def _sent() -> Iterator[bytes]:
    """Yield what comes over the connection, whatever the transfer coding."""
    length = request.content_length
    if length is None and not request.environ.get("wsgi.input_terminated"):
        return  # nothing says where such a body would end
    received = 0
    while length is None or received < length:
        piece = _read(_PIECE if length is None else min(_PIECE, length - received))
        if not piece and length is not None:
            raise RequestError(f"The body ended after {received} of {length} bytes")
        if not piece:
            return
        received += len(piece)
        yield piece


def _read(size: int) -> bytes:
    try:
        return cast("bytes", request.environ["wsgi.input"].read(size))
    except Exception as error:  # the server's own kinds, for lost connections and malformed chunks
        raise RequestError("The body broke off, or its chunks are malformed") from error


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(_GZIP)
    begun = False
    for piece in pieces:
        packed, more = piece, True
        while more:
            if member.eof:  # another begins
                member = zlib.decompressobj(_GZIP)
            try:
                plain = member.decompress(packed, _PIECE)
            except zlib.error as error:
                raise RequestError(_NOT_GZIP) from error
            if plain:
                yield plain
            packed = member.unused_data if member.eof else member.unconsumed_tail
            more = bool(packed) or (len(plain) == _PIECE and not member.eof)
        begun = True
    if begun and not member.eof:
        raise RequestError(f"{_NOT_GZIP}: it broke off")


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body has more than the {limit} bytes that this resource takes")
