"""Statements that may take their time, because nobody waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op
from sqlalchemy import text


@contextmanager
def patience() -> Iterator[None]:
    """For what makes nobody wait, however long it takes itself."""
    limits = {
        name: op.get_bind().execute(text(f"SHOW {name}")).scalar()
        for name in ("lock_timeout", "statement_timeout")
    }
    for name in limits:
        op.execute(f"SET {name} = 0")
    yield
    for name, limit in limits.items():
        op.execute(f"SET {name} = '{limit}'")
