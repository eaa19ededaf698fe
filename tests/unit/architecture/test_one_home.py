"""Who may change the state of a shard or of a job: one module each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHARDS = "app/services/jobs/shards.py"
JOB_STATES = "app/services/jobs/move_job.py"

SQL_OF_SHARDS = re.compile(r"\bUPDATE\s+(?:ONLY\s+)?shards\b", re.IGNORECASE)
SQL_OF_JOB_STATES = re.compile(
    r"\bUPDATE\s+(?:ONLY\s+)?jobs\b(?:(?!\b(?:WHERE|FROM|RETURNING)\b).)*[\s,(]state\s*[,=)]",
    re.IGNORECASE | re.DOTALL,
)


def changes_shards(source: str) -> bool:
    """Whether a module holds an UPDATE of shards, as SQL or through the mapped class."""
    return bool(SQL_OF_SHARDS.search(source)) or "Shard" in _updated(source)


def changes_job_states(source: str) -> bool:
    """Whether a module sets jobs.state, as SQL, through the mapped class or on an object."""
    return (
        bool(SQL_OF_JOB_STATES.search(source))
        or "Job" in _updated(source)
        or "job" in _objects_given_a_state(source)
    )


def _updated(source: str) -> Iterator[str]:
    """The names of what is given to a function whose own name speaks of updating."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and "update" in _name(node.func):
            yield from (_name(argument) for argument in node.args)


def _objects_given_a_state(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(part, ast.Attribute) and part.attr == "state":
                    yield _name(part.value)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def sources() -> dict[str, str]:
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for room in ("app", "workers")
        for path in (ROOT / room).rglob("*.py")
    }


def test_shards_are_changed_in_one_module() -> None:
    assert {name for name, source in sources().items() if changes_shards(source)} == {SHARDS}


def test_the_states_of_jobs_are_changed_in_one_module() -> None:
    found = {name for name, source in sources().items() if changes_job_states(source)}

    assert found == {JOB_STATES}


@pytest.mark.parametrize(
    "statement",
    ["'UPDATE shards SET open_items = 0'", "'''update\n  shards set a = 1'''", "update(Shard)"],
)
def test_a_change_of_a_shard_is_seen(statement: str) -> None:
    assert changes_shards(f"change = {statement}")


@pytest.mark.parametrize(
    "statement",
    [
        "x = 'UPDATE jobs SET state = 1 WHERE id = 2'",
        "x = 'UPDATE jobs SET open_items = 0,\\n  state = 1 WHERE id = 2'",
        "x = 'UPDATE jobs SET (open_items, state) = (0, 1)'",
        "update(Job).where(Job.id == 1)",
        "update(models.Job)",
        "job.state = JobState.FAILED",
        "job.state, job.open_items = JobState.FAILED, 0",
    ],
)
def test_a_change_of_a_jobs_state_is_seen(statement: str) -> None:
    assert changes_job_states(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "x = 'UPDATE jobs SET open_items = 0 WHERE state = 1'",
        "x = 'UPDATE jobs SET failure_code = 1 FROM shards WHERE shards.state = 1'",
        "x = 'SELECT id FROM jobs ORDER BY id FOR UPDATE'",
        "endpoint.state = EndpointState.ENABLED",
    ],
)
def test_a_jobs_other_columns_and_others_states_are_free(statement: str) -> None:
    assert not changes_job_states(statement)
