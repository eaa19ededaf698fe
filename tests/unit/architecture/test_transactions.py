"""The edges are thin: whoever translates for a client opens no transaction."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from app.database import transactions

ROOT = Path(__file__).parents[3]
FACES = ("app/api", "app/web", "app/commands")

OPENERS = sorted(
    name
    for name, function in inspect.getmembers(transactions, inspect.isfunction)
    if function.__module__ == transactions.__name__ and not name.startswith("_")
)


def test_the_functions_looked_for_are_those_that_there_are() -> None:
    assert {"tenant_transaction", "read_transaction", "owner_transaction"} <= set(OPENERS)


@pytest.mark.parametrize("face", FACES)
def test_no_face_mentions_a_transaction(face: str) -> None:
    pattern = re.compile(rf"\b({'|'.join(OPENERS)})\b")
    mentions = {
        str(path.relative_to(ROOT)): found
        for path in (ROOT / face).rglob("*.py")
        if (found := pattern.findall(path.read_text(encoding="utf-8")))
    }

    assert mentions == {}
