from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from app.domain.errors import (
    DeliveryError,
    FaceQueueError,
)
from app.domain.item_errors import ItemError
from app.domain.request_errors import RequestError
from app.domain.states import JobFailure

PAGE = Path(__file__).parents[2] / "docs/errors.md"
HEADINGS = ("On a request", "On a job", "On an item", "On a webhook attempt", "For operators")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, code first and without its backticks."""
    pattern = rf"^## {heading}$(.*?)(?=^## |\Z)"
    (section,) = re.findall(pattern, PAGE.read_text(), re.MULTILINE | re.DOTALL)
    cells = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in row] for row in cells]


def tree(root: type[FaceQueueError]) -> Iterator[type[FaceQueueError]]:
    """An error and its kinds, as far as the application itself defines them."""
    if root.__module__.startswith("app.domain."):
        yield root
        for child in root.__subclasses__():
            yield from tree(child)


def test_every_request_error_is_listed_with_its_status() -> None:
    defined = {
        (kind.code, str(int(kind.status)))
        for kind in tree(RequestError)
        if issubclass(kind, RequestError)
    }

    assert {(row[0], row[1]) for row in rows("On a request")} == defined


def test_every_reason_for_which_a_job_fails_is_listed() -> None:
    assert {row[0] for row in rows("On a job")} == set(JobFailure)


def test_every_item_error_is_listed() -> None:
    assert {row[0] for row in rows("On an item")} == {kind.code for kind in tree(ItemError)}


def test_every_delivery_error_is_listed() -> None:
    listed = {row[0] for row in rows("On a webhook attempt")}

    assert listed == {kind.code for kind in tree(DeliveryError)}


def test_every_other_error_is_listed_for_operators() -> None:
    clients = {*tree(RequestError), *tree(ItemError), *tree(DeliveryError)}
    others = {kind.code for kind in tree(FaceQueueError) if kind not in clients}

    assert {row[0] for row in rows("For operators")} == others - {FaceQueueError.code}


def test_no_code_is_listed_twice_in_a_table() -> None:
    for heading in HEADINGS:
        codes = [row[0] for row in rows(heading)]
        assert len(codes) == len(set(codes)), heading


def test_every_code_comes_with_a_meaning_and_an_advice() -> None:
    for heading in HEADINGS:
        assert all(row[-1] and row[-2] for row in rows(heading)), heading
