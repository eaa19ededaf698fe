"""Bodies in content codings and transfer codings, on a socket where it takes one."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.factories.callers import Caller
from tests.support.processes import Processes
from tests.support.served_api import served_api

MIB = 1_048_576


@pytest.fixture(scope="module")
def served(programs: Processes) -> Iterator[dict[str, str]]:
    with served_api(programs) as environment:
        yield environment


def _post(
    api: Caller, body: bytes, coding: str = "gzip", path: str = "/collections"
) -> TestResponse:
    headers = {"Content-Encoding": coding}
    return api.post(path, data=body, content_type="application/json", headers=headers)


def test_a_packed_body_is_unpacked(api: Caller) -> None:
    response = _post(api, gzip.compress(b'{"name": "packed"}'))
    assert (response.status_code, response.get_json()["name"]) == (201, "packed")


def test_a_body_packed_in_several_members_is_one_body(api: Caller) -> None:
    packed = gzip.compress(b'{"name": ') + gzip.compress(b'"ab') + gzip.compress(b'cd"}')
    assert _post(api, packed).get_json()["name"] == "abcd"


def test_of_a_packed_body_what_it_unpacks_to_counts(api: Caller) -> None:
    fits = gzip.compress(b'{"unknown": 1}'.ljust(MIB))
    too_large = gzip.compress(b'{"unknown": 1}'.ljust(MIB + 1))
    assert _post(api, fits).status_code == 422
    response = _post(api, too_large)
    assert (response.status_code, response.get_json()["code"]) == (413, "payload_too_large")


def test_a_bomb_is_refused_while_it_is_unpacked(
    api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked: list[int] = []
    packer = zlib.decompressobj

    class Counting:
        def __init__(self, *args: int) -> None:
            self._inner = packer(*args)

        def decompress(self, data: bytes, most: int) -> bytes:
            plain: bytes = self._inner.decompress(data, most)
            unpacked.append(len(plain))
            return plain

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    assert _post(api, gzip.compress(b" " * 200 * MIB)).status_code == 413
    assert sum(unpacked) <= MIB + 65_536


@pytest.mark.parametrize(
    "body",
    [b'{"name": "plain"}', gzip.compress(b'{"name": "x"}')[:-6], gzip.compress(b"{}") + b"x"],
    ids=["plain", "broken off", "more behind it"],
)
def test_a_body_that_is_not_packed_as_it_says_is_told_so(api: Caller, body: bytes) -> None:
    response = _post(api, body)
    assert response.status_code == 400
    assert "Content-Encoding: gzip" in response.get_json()["detail"]


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "x"])
def test_another_coding_is_refused_with_those_that_are_known(api: Caller, coding: str) -> None:
    response = _post(api, b"x", coding)
    assert response.status_code == 415
    assert response.get_json()["code"] == "content_encoding_unknown"
    assert response.headers["Accept-Encoding"] == "gzip"


def test_a_packed_request_is_idempotent_like_any_other(api: Caller) -> None:
    body = gzip.compress(b'{"name": "packed"}')
    headers = {"Content-Encoding": "gzip", "Idempotency-Key": "k"}
    send = {"data": body, "content_type": "application/json", "headers": headers}
    first, again = api.post("/collections", **send), api.post("/collections", **send)
    assert first.get_json() == again.get_json()
    assert "Idempotent-Replayed" in again.headers


def test_a_chunked_body_above_the_limit_is_refused_whole(served: dict[str, str]) -> None:
    body = b'{"name": "cut"}'.ljust(MIB) + b"garbage"
    status, problem = _send(served, _chunked(served, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)))
    assert (status, problem["code"]) == (413, "payload_too_large")


def test_a_chunked_body_within_the_limit_is_read(served: dict[str, str]) -> None:
    body = b'{"name": "in chunks"}'
    status, answer = _send(served, _chunked(served, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)))
    assert (status, answer["name"]) == (201, "in chunks")


def test_a_malformed_chunk_is_the_clients_fault(served: dict[str, str]) -> None:
    status, problem = _send(served, _chunked(served, b'3\r\n{"n\r\nnonsense\r\n'))
    assert (status, problem["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA B: c\r\n\r\n", 400),
        (b"GET /%s HTTP/1.1\r\n\r\n" % (b"x" * 5000), 414),
        (b"GET / HTTP/1.1\r\nA: %s\r\n\r\n" % (b"x" * 9000), 431),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: nonsense\r\n\r\n", 501),
    ],
    ids=["line", "header", "long line", "long header", "coding"],
)
def test_what_never_reaches_the_application_is_a_problem_document_too(
    served: dict[str, str], request_bytes: bytes, status: int
) -> None:
    answered, problem = _send(served, request_bytes)
    assert (answered, problem["status"]) == (status, status)
    assert problem["code"] == "bad_request"
    assert problem["request_id"]


def _chunked(served: dict[str, str], chunks: bytes) -> bytes:
    head = (
        "POST /api/v1/collections HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: Bearer {served['FACEQUEUE_API_KEY']}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    return head.encode() + chunks


def _send(served: dict[str, str], request_bytes: bytes) -> tuple[int, dict[str, str]]:
    where = urlsplit(served["FACEQUEUE_URL"])
    with socket.create_connection((where.hostname, where.port or 80), 30) as client:
        client.sendall(request_bytes)
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    kind = b"application/problem+json" if status >= 400 else b"application/json"
    assert b"Content-Type: " + kind in head
    return status, json.loads(body)
