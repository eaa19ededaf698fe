"""A batch moves a photograph while people are erased, or another batch moves it too."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.database.transactions import tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.lease import ShardRef
from app.domain.request_errors import NotFound
from app.services.gallery.subjects import delete_subject
from app.services.jobs.delete_job import delete_job
from app.services.jobs.redrive_job import redrive_job
from tests.factories.enrolments import Enroller, Shown
from tests.factories.jobs import close_item
from tests.factories.outcomes import outcome
from tests.factories.worker_steps import begun, store
from tests.support.locks import Begin, beginning

pytestmark = pytest.mark.stack

PHOTO = 1
BOBS, ADAS, CYS = (Shown(name, PHOTO) for name in ("bob", "ada", "cy"))


@pytest.fixture
def gallery(app: Flask) -> Enroller:
    """The photograph is bob's."""
    del app
    made = Enroller.create()
    made.enrol(BOBS)
    return made


@pytest.fixture
def begin(app: Flask) -> Iterator[Begin]:
    with beginning(app) as start:
        yield start


def move_to(gallery: Enroller, shown: Shown) -> UUID:
    """A job that is still to be worked at."""
    return gallery.submit(shown, on_conflict="move")


def erase(gallery: Enroller, name: str) -> None:
    delete_subject(gallery.world.tenant_id, gallery.collection, name, SYSTEM)


def item_of(gallery: Enroller, job_id: UUID) -> dict[str, Any]:
    (item,) = gallery.read(job_id)
    return item


@pytest.mark.parametrize(
    ("erased", "owner"), [("ada", None), ("bob", "ada")], ids=["the new", "the former"]
)
def test_an_erasure_that_waits_for_a_move_erases_what_is_the_person_s_after_it(
    gallery: Enroller, begin: Begin, erased: str, owner: str | None
) -> None:
    job_id = move_to(gallery, ADAS)
    with tenant_transaction(gallery.world.tenant_id):
        gallery.work(job_id, ADAS)
        erasing = begin(lambda: erase(gallery, erased))
    erasing.result(timeout=10)

    (face,) = item_of(gallery, job_id)["faces"]
    assert (gallery.who_is(PHOTO), gallery.face_count) == (owner, 1 if owner else 0)
    assert (face["subject"], face["moved_from"]["subject"]) == (owner, None if owner else "bob")


def test_a_move_that_waits_for_the_erasure_of_the_new_person_leaves_the_photograph(
    gallery: Enroller, begin: Begin
) -> None:
    job_id = move_to(gallery, ADAS)
    with tenant_transaction(gallery.world.tenant_id):
        erase(gallery, "ada")
        moving = begin(lambda: gallery.work(job_id, ADAS))
    moving.result(timeout=10)

    assert item_of(gallery, job_id)["error"]["code"] == "subject_deleted"
    assert (gallery.who_is(PHOTO), gallery.face_count) == ("bob", 1)


def test_of_two_moves_at_once_the_later_takes_it_from_the_earlier(
    gallery: Enroller, begin: Begin
) -> None:
    first, second = move_to(gallery, ADAS), move_to(gallery, CYS)
    with tenant_transaction(gallery.world.tenant_id):
        gallery.work(first, ADAS)
        moving = begin(lambda: gallery.work(second, CYS))
    moving.result(timeout=10)

    (face,) = item_of(gallery, second)["faces"]
    assert (face["subject"], face["moved_from"]["subject"]) == ("cy", "ada")
    assert (gallery.who_is(PHOTO), gallery.face_count) == ("cy", 1)


def test_moves_redrives_and_erasures_at_once_leave_one_face_or_none(
    app: Flask, gallery: Enroller
) -> None:
    tenant_id = gallery.world.tenant_id
    failed = move_to(gallery, ADAS)
    close_item(failed, 0, error="storage_unavailable")
    together = threading.Barrier(4)

    def move() -> None:
        for shown in (CYS, BOBS, ADAS) * 3:
            gallery.work(move_to(gallery, shown), shown)

    def redrive() -> None:
        with suppress(NotFound):
            for _ in range(9):
                made = redrive_job(tenant_id, failed, SYSTEM).id
                store(begun(ShardRef(made, 0)), outcome(0, PHOTO))

    def erase_all() -> None:
        for name in ("ada", "bob", "cy") * 3:
            with suppress(NotFound):
                erase(gallery, name)

    def delete() -> None:
        delete_job(tenant_id, failed, SYSTEM)

    def work(step: Any) -> None:
        with app.app_context():
            together.wait(30)
            step()

    with ThreadPoolExecutor(4) as pool:
        steps = (move, redrive, erase_all, delete)
        done, late = wait([pool.submit(work, step) for step in steps], timeout=120)
    for each in done:
        each.result()

    assert not late
    assert gallery.face_count in {0, 1}
    open_jobs = "SELECT id FROM jobs WHERE finished_at IS NULL"
    assert gallery.world.query(open_jobs) == []
