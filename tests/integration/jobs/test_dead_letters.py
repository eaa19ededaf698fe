"""What an operator does with items that killed their workers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.identifiers import new_id
from app.domain.job_request import ItemRequest
from app.domain.request_errors import (
    Conflict,
    NotFound,
)
from app.domain.states import Operation
from app.models.dead_letter import DeadLetter
from app.services.jobs.dead_letters import list_dead_letters, redrive
from tests.factories.tenant_world import TenantWorld
from tests.support.processes import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]

# Who waits for what somebody else holds.
WAITING = """
SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND datname = current_database()
"""


@pytest.fixture
def letter(world: TenantWorld) -> UUID:
    """The dead letter of a job's only item."""
    job_id = world.submit(
        Operation.DETECT, ItemRequest("a", world.uri("a.jpg")), metadata={"batch": "b"}
    )
    letter = DeadLetter(
        id=new_id(),
        tenant_id=world.tenant_id,
        job_id=job_id,
        item_seq=0,
        image_uri=world.uri("a.jpg"),
        code="worker_crashed",
        reason="test",
    )
    with tenant_transaction(world.tenant_id) as session:
        session.add(letter)
    return letter.id


def job_count(world: TenantWorld) -> int:
    return int(world.query("SELECT count(*) AS n FROM jobs")[0].n)


def test_a_letter_is_redriven_as_a_job_of_its_item_alone(world: TenantWorld, letter: UUID) -> None:
    job_id = redrive(letter)

    job, (item,) = world.job(job_id), world.items(job_id).values()
    assert (job.operation, job.total_items, job.metadata_) == ("detect", 1, {"batch": "b"})
    assert (item.custom_id, item.image_uri) == ("a", world.uri("a.jpg"))


def test_a_redriven_letter_is_listed_only_when_asked_for(letter: UUID) -> None:
    redrive(letter)

    assert letter not in {row.id for row in list_dead_letters()}
    assert letter in {row.id for row in list_dead_letters(redriven=True)}


def test_a_letter_is_redriven_once(world: TenantWorld, letter: UUID) -> None:
    job_id = redrive(letter)

    with pytest.raises(Conflict, match=str(job_id)):
        redrive(letter)

    assert job_count(world) == 2


def test_a_letter_that_does_not_exist_is_not_found(app: Flask) -> None:
    del app
    with pytest.raises(NotFound, match="There is no dead letter"):
        redrive(new_id())


def test_of_two_operators_at_once_one_redrives_and_the_other_is_told_the_job(
    app: Flask, world: TenantWorld, letter: UUID
) -> None:
    def attempt() -> UUID | Conflict:
        with app.app_context():
            try:
                return redrive(letter)
            except Conflict as conflict:
                return conflict

    with ThreadPoolExecutor(2) as operators:
        with tenant_transaction(world.tenant_id) as session:
            session.get_one(DeadLetter, letter, with_for_update=True)
            answers = [operators.submit(attempt) for _ in range(2)]
            wait_until(lambda: waiting() == 2, what="both operators being at the letter")
        jobs, refusals = [], []
        for answer in answers:
            result = answer.result()
            (refusals if isinstance(result, Conflict) else jobs).append(result)

    assert len(jobs) == len(refusals) == 1
    assert str(jobs[0]) in str(refusals[0])
    assert job_count(world) == 2


def waiting() -> int:
    with owner_transaction() as session:
        return int(session.execute(text(WAITING)).scalar_one())
