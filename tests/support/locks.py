"""Changes that wait for each other's locks, one in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import text

from app.database.transactions import owner_transaction
from tests.support.processes import wait_until

Begin = Callable[[Callable[[], object]], Future[None]]

_WAITING = text("""
SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND datname = current_database()
""")


@contextmanager
def beginning(app: Flask) -> Iterator[Begin]:
    """Start something in a thread of its own; returns once it waits for somebody's lock."""
    with ThreadPoolExecutor(max_workers=2) as pool:

        def start(change: Callable[[], object]) -> Future[None]:
            def work() -> None:
                with app.app_context():
                    change()

            waiting = _waiting()
            future = pool.submit(work)
            wait_until(lambda: _waiting() == waiting + 1, seconds=10, what="a wait for a lock")
            return future

        yield start


def _waiting() -> int:
    with owner_transaction() as session:
        return int(session.execute(_WAITING).scalar_one())
