from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from facequeue import NoAnswer, NotFound, iterate_lines, iterate_results

from .conftest import CutStream

JOB_ID = "01990000-0000-7000-8000-000000000001"
LINES = [json.dumps({"custom_id": name}).encode() + b"\n" for name in "abc"]


def whole() -> httpx.Response:
    return httpx.Response(200, content=b"".join(LINES))


def names(client: Any, naps: list[float]) -> list[str]:
    return [line["custom_id"] for line in iterate_lines(client, JOB_ID, sleep=naps.append)]


def test_results_come_line_by_line(client_with: Any, naps: list[float]) -> None:
    client, canned = client_with(whole())

    assert names(client, naps) == ["a", "b", "c"]
    assert canned.requests[0].url.path == f"/api/v1/jobs/{JOB_ID}/results.jsonl"


def test_after_a_cut_they_go_on_where_they_were(client_with: Any, naps: list[float]) -> None:
    cut = httpx.Response(200, stream=CutStream(LINES[0] + LINES[1][:5]))
    client, _ = client_with(cut, whole())

    assert names(client, naps) == ["a", "b", "c"]


def test_a_last_line_that_is_not_whole_is_a_cut(client_with: Any, naps: list[float]) -> None:
    client, _ = client_with(httpx.Response(200, content=LINES[0] + LINES[1][:5]), whole())

    assert names(client, naps) == ["a", "b", "c"]


def test_cuts_without_a_line_between_them_are_given_up(client_with: Any, naps: list[float]) -> None:
    client, _ = client_with(*[httpx.Response(200, stream=CutStream(b"")) for _ in range(6)])

    with pytest.raises(NoAnswer, match="connection reset"):
        names(client, naps)
    assert len(naps) == 5


def test_a_line_may_hold_what_other_texts_end_lines_with(
    client_with: Any, naps: list[float]
) -> None:
    text = json.dumps({"custom_id": "a\u2028b"}, ensure_ascii=False).encode() + b"\n"
    client, _ = client_with(httpx.Response(200, content=text))

    assert names(client, naps) == ["a\u2028b"]


def test_a_job_that_is_not_there_is_told(client_with: Any, naps: list[float]) -> None:
    client, _ = client_with(httpx.Response(404, json={"code": "not_found"}))

    with pytest.raises(NotFound):
        names(client, naps)


def test_results_are_typed(client_with: Any) -> None:
    box = {"x": 1, "y": 2, "width": 3, "height": 4}
    face = {
        "face_no": 0,
        "box": box,
        "landmarks": [],
        "detection_confidence": 0.9,
        "quality": 0.8,
        "decision": "unknown",
    }
    item = {
        "custom_id": "a",
        "state": "succeeded",
        "width": 10,
        "height": 10,
        "faces": [face],
        "model": "m",
        "engine": None,
        "pipeline": None,
        "error": None,
        "added_later": True,
    }
    client, _ = client_with(httpx.Response(200, content=json.dumps(item).encode() + b"\n"))

    (result,) = iterate_results(client, JOB_ID)
    assert result.faces[0].decision == "unknown"
    assert result.additional_properties == {"added_later": True}
