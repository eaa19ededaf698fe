"""A recognition worker that may keep copies follows the vectors; its children share a memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.database.transactions import queue_transaction
from scripts.stack.state import State
from tests.support.processes import Processes, processes, wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
def worker(
    app: Flask,
    services: State,
    stack_environment: dict[str, str],
    slot: int,
    models_dir: Path,
    nobody_works: None,
) -> Iterator[Processes]:
    """A recognition worker with room for copies."""
    del app, models_dir, nobody_works
    environment = {**stack_environment, "SEARCH_CACHE_MB": "16", "CELERY_WORKER_CONCURRENCY": "2"}
    with processes(services, environment, services.logs / f"test-{slot}-copies") as started:
        started.start("recognition")
        yield started


def test_it_follows_while_it_runs_and_its_children_share_one_memory(worker: Processes) -> None:
    wait_until(_followers, seconds=90, what="a follower")
    (before,) = _followers()

    parent = worker.running["recognition"].pid
    memories = {_memory(pid) for pid in (parent, *_children(parent))}
    assert len(memories) == 1
    assert None not in memories
    wait_until(lambda: _followers()[0].seen_at > before.seen_at, what="a word from the follower")
    worker.stop("recognition")

    assert _followers() == []


def _followers() -> list[Any]:
    with queue_transaction() as session:
        statement = "SELECT name, seen_at FROM vector_followers WHERE name LIKE 'search %'"
        return list(session.execute(text(statement)))


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert found
    return [int(each) for each in found]


def _memory(pid: int) -> int | None:
    """The inode of the memory, as long as the process has it open."""
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        if "facequeue-search" in str(entry.readlink()):
            return entry.stat().st_ino
    return None
