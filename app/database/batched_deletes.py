"""Rows that go by the thousand, a batch a transaction, so that no lock is held for long."""

from __future__ import annotations

from typing import Any

from sqlalchemy import TextClause

from app.database.transactions import queue_transaction


def delete_in_batches(statement: TextClause, batch: int, **values: Any) -> int:
    """Run a DELETE of at most `:batch` rows until it finds fewer; returns how many went."""
    total = 0
    while True:
        with queue_transaction() as session:
            removed: int = session.execute(statement, {**values, "batch": batch}).rowcount  # type: ignore[attr-defined]  # a DELETE's cursor result has it
        total += removed
        if removed < batch:
            return total
