"""Results of earlier jobs name nobody who was erased since: at once as read, soon as stored."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import current_app
from sqlalchemy import text

from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.states import Operation
from app.queries.items import list_items
from app.services.gallery.collections import delete_collection
from app.services.gallery.faces import delete_face
from app.services.gallery.subjects import delete_subject
from app.services.jobs import delete_job as delete_job_module
from app.services.jobs import scrub_results as scrub_results_module
from app.services.jobs.delete_job import delete_job
from app.services.jobs.scrub_results import scrub_results
from tests.factories.outcomes import outcome
from tests.factories.scrubbing import scrubbed
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, store
from tests.integration.jobs.conftest import PARKED_MODEL
from workers.tasks.erase import erase

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked", "empty_database")]

NOBODY = {"subject": None, "subject_id": None, "face_id": None}


@dataclass(frozen=True)
class Gallery:
    """Ada and Bob, enrolled by `enrolment`; `search` found both for each of its two faces."""

    world: TenantWorld
    collection: UUID
    enrolment: UUID
    search: UUID

    def subject(self, name: str) -> UUID:
        found = self.world.query("SELECT id FROM subjects WHERE external_id = :n", n=name)
        subject_id: UUID = found[0].id
        return subject_id

    def face_of(self, name: str) -> UUID:
        found = self.world.query(
            "SELECT id FROM faces WHERE subject_id = :id", id=self.subject(name)
        )
        face_id: UUID = found[0].id
        return face_id

    def erase(self, name: str) -> None:
        delete_subject(self.world.tenant_id, self.collection, self.subject(name), SYSTEM)

    def matches(self) -> list[list[dict[str, Any]]]:
        """What a client reads of the search, by face."""
        with tenant_transaction(self.world.tenant_id) as session:
            items = list_items(session, self.world.tenant_id, self.search, limit=10)
            return [face.matches for item in items for face in item.faces]

    def stored(self) -> list[list[dict[str, Any]]]:
        """What lies in the table."""
        query = "SELECT matches FROM detections WHERE job_id = :id ORDER BY item_seq"
        return [row.matches for row in self.world.query(query, id=self.search)]


@pytest.fixture
def gallery(world: TenantWorld) -> Gallery:
    collection = world.collection(space=PARKED_MODEL)
    people = [ItemRequest(name, world.uri(f"{name}.jpg"), subject=name) for name in ("ada", "bob")]
    enrolment = world.submit(Operation.ENROL, *people, collection_id=collection)
    store(begun(ShardRef(enrolment, 0)), outcome(0, 1), outcome(1, 2))
    return Gallery(world, collection, enrolment, search(world, collection))


def search(world: TenantWorld, collection: UUID) -> UUID:
    """A search by two photographs of ada."""
    items = [ItemRequest(f"probe-{n}", world.uri(f"{n}.jpg")) for n in (0, 1)]
    job_id = world.submit(Operation.IDENTIFY, *items, collection_id=collection)
    store(begun(ShardRef(job_id, 0)), outcome(0, 1), outcome(1, 1))
    return job_id


def test_a_result_names_an_erased_person_to_nobody_from_then_on(gallery: Gallery) -> None:
    before = gallery.matches()[0]

    gallery.erase("ada")

    for ada, bob in gallery.matches():
        assert ada == before[0] | NOBODY | {"erased": True}
        assert bob == before[1]


def test_the_name_goes_from_the_stored_result_as_well(gallery: Gallery) -> None:
    gallery.erase("ada")
    shown = gallery.matches()

    scrubbed(gallery.world)

    assert gallery.stored() == shown
    assert "ada" not in str(gallery.stored())


def test_an_erased_face_is_named_no_more_and_its_person_still_is(gallery: Gallery) -> None:
    before = gallery.matches()[0][0]
    delete_face(gallery.world.tenant_id, gallery.collection, gallery.face_of("ada"), SYSTEM)

    assert gallery.matches()[0][0] == before | {"face_id": None, "erased": True}
    scrubbed(gallery.world)
    assert gallery.stored() == gallery.matches()


def test_a_person_whose_face_went_before_is_forgotten_like_any_other(gallery: Gallery) -> None:
    delete_face(gallery.world.tenant_id, gallery.collection, gallery.face_of("ada"), SYSTEM)
    scrubbed(gallery.world)

    gallery.erase("ada")

    scrubbed(gallery.world)
    assert [faces[0]["subject"] for faces in gallery.stored()] == [None, None]


def test_a_deleted_collection_is_named_in_no_result(gallery: Gallery) -> None:
    delete_collection(gallery.world.tenant_id, gallery.collection, SYSTEM)

    shown = gallery.matches()
    assert all(match.items() >= NOBODY.items() for faces in shown for match in faces)
    scrubbed(gallery.world)
    assert gallery.stored() == shown
    assert enrolled(gallery) == [(None, None), (None, None)]


def test_an_enrolment_s_result_forgets_the_person_and_the_face(gallery: Gallery) -> None:
    bob = gallery.face_of("bob"), gallery.subject("bob")
    gallery.erase("ada")

    with tenant_transaction(gallery.world.tenant_id) as session:
        items = list_items(session, gallery.world.tenant_id, gallery.enrolment, limit=10)
        shown = [(item.faces[0].face_id, item.faces[0].subject_id) for item in items]
    assert shown == [(None, None), bob]
    scrubbed(gallery.world)
    assert enrolled(gallery) == [(None, None), bob]
    items_of = gallery.world.items(gallery.enrolment)
    assert [items_of[name].subject_id for name in ("ada", "bob")] == [None, bob[1]]


def enrolled(gallery: Gallery) -> list[tuple[UUID | None, UUID | None]]:
    query = "SELECT face_id, subject_id FROM detections WHERE job_id = :id ORDER BY item_seq"
    return [(row[0], row[1]) for row in gallery.world.query(query, id=gallery.enrolment)]


def test_an_item_that_waits_keeps_its_subject_until_it_has_failed(gallery: Gallery) -> None:
    world = gallery.world
    waiting = world.submit(
        Operation.ENROL,
        ItemRequest("late", world.uri("late.jpg"), subject="ada"),
        collection_id=gallery.collection,
    )
    gallery.erase("ada")
    wait_for_scrub_of(gallery)
    assert world.items(waiting)["late"].subject_id is not None

    store(begun(ShardRef(waiting, 0)), outcome(0, 3))

    item = world.items(waiting)["late"]
    assert (item.error_code, world.query("SELECT id FROM faces WHERE subject_id IS NULL")) == (
        "subject_deleted",
        [],
    )
    due_now(world)
    scrubbed(world)
    assert world.items(waiting)["late"].subject_id is None


def wait_for_scrub_of(gallery: Gallery) -> None:
    deadline = time.monotonic() + 30
    while "ada" in str(gallery.stored()):
        assert time.monotonic() < deadline
        scrub_results()


def due_now(world: TenantWorld) -> None:
    with tenant_transaction(world.tenant_id) as session:
        session.execute(text("UPDATE erasures SET due_at = now()"))


def test_whoever_searched_before_the_erasure_and_stores_after_it_is_waited_for(
    gallery: Gallery,
) -> None:
    world = gallery.world
    with tenant_transaction(world.tenant_id) as session:
        session.execute(text("SELECT FROM shards FOR UPDATE"))  # as who stores begins
        erase_and_scrub(gallery)
        assert "ada" in str(gallery.stored())

    scrubbed(world)
    assert "ada" not in str(gallery.stored())


def erase_and_scrub(gallery: Gallery) -> None:
    """Beside the transaction that is open."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # Flask's own way

    def work() -> None:
        with app.app_context():
            gallery.erase("ada")
            scrub_results()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result(30)


def test_beat_s_chore_scrubs_results_and_removes_deleted_jobs(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delete_job_module, "_ITEMS_A_BATCH", 1)
    world = gallery.world
    delete_job(world.tenant_id, gallery.enrolment, SYSTEM)
    gallery.erase("ada")

    deadline = time.monotonic() + 30
    while world.query("SELECT id FROM erasures"):
        assert time.monotonic() < deadline
        with owner_transaction() as session:
            session.execute(text("DELETE FROM chore_turns"))
        erase()

    assert "ada" not in str(gallery.stored())
    assert [row.id for row in world.query("SELECT id FROM jobs")] == [gallery.search]


def test_a_scrub_that_was_cut_short_goes_on(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrub_results_module, "_ROWS_A_BATCH", 1)
    gallery.erase("ada")
    rewrite, done = scrub_results_module._rewrite, []

    def once(*args: Any) -> int:
        if done:
            raise ConnectionError
        done.append(rewrite(*args))
        return done[0]

    with monkeypatch.context() as cut:
        cut.setattr(scrub_results_module, "_rewrite", once)
        with pytest.raises(ConnectionError):
            scrubbed(gallery.world)
    assert sorted("ada" in str(faces) for faces in gallery.stored()) == [False, True]

    scrubbed(gallery.world)
    assert "ada" not in str(gallery.stored())


def test_no_result_keeps_a_vector(gallery: Gallery) -> None:
    assert gallery.world.query("SELECT 1 FROM detections WHERE embedding IS NOT NULL") == []


def test_a_vector_that_the_version_before_still_inserts_is_not_kept(gallery: Gallery) -> None:
    world = gallery.world
    with tenant_transaction(world.tenant_id) as session:
        session.execute(
            text("""
INSERT INTO detections (tenant_id, job_id, item_seq, face_no, box, landmarks, detection_confidence,
  quality, embedding)
SELECT tenant_id, job_id, 99, 0, box, landmarks, detection_confidence, quality, '[1,2]'
FROM detections WHERE job_id = :id AND item_seq = 0"""),
            {"id": gallery.search},
        )

    late = "SELECT embedding FROM detections WHERE item_seq = 99"
    assert [row.embedding for row in world.query(late)] == [None]


def test_results_that_name_somebody_are_found_without_reading_the_others(gallery: Gallery) -> None:
    with tenant_transaction(gallery.world.tenant_id) as session:
        before = session.execute(SEQUENTIAL).scalar_one()
        named = session.execute(
            text("SELECT * FROM detections_naming(:id, 10)"), {"id": gallery.subject("ada")}
        ).all()
        assert session.execute(SEQUENTIAL).scalar_one() == before

    assert [row.job_id for row in named] == [gallery.search] * 2


SEQUENTIAL = text(
    "SELECT coalesce(sum(seq_scan), 0) FROM pg_stat_xact_user_tables "
    "WHERE relname LIKE 'detections_%'"
)


def test_another_tenant_finds_no_result_by_an_id_it_knows(gallery: Gallery) -> None:
    ada = gallery.subject("ada")

    assert TenantWorld.create().query("SELECT * FROM detections_naming(:id, 10)", id=ada) == []
