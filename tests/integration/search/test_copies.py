"""A copy is used only while nothing that happened since can be missed, and forgets the erased."""

from __future__ import annotations

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import text

from app.adapters.copy_memory import CopyMemory
from app.database.transactions import queue_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.searches import SearchIndex
from app.models.collection import Collection
from app.services.gallery import follow_vectors
from app.services.gallery.faces import delete_face
from app.services.gallery.follow_vectors import KeptCopies, follow, leave
from app.services.gallery.prune_changes import prune_changes
from app.services.gallery.strategies import choose as choosing
from app.services.gallery.strategies import warm_copies
from app.services.gallery.strategies.exact_cached import ExactCached
from app.services.gallery.strategies.exact_sql import ExactSql
from tests.factories.crowd import cached, nearest
from tests.factories.galleries import make_face, unit_vector
from tests.factories.outbox import vector_changes
from tests.factories.outcomes import unit_vector as drawn
from tests.factories.tenant_world import TenantWorld
from tests.support.processes import wait_until
from tests.support.statements import statements_sent

pytestmark = pytest.mark.stack

PROBE = unit_vector(0)


def found_by(kept: KeptCopies, collection: Collection) -> SearchIndex:
    """What answers a search for somebody who is there, rightly."""
    strategy = ExactCached(kept, ExactSql())
    found = nearest(strategy, collection, [PROBE])
    assert found == nearest(ExactSql(), collection, [PROBE])
    return strategy.index


def test_what_a_copy_has_yet_to_read_is_not_pruned(
    kept: KeptCopies, collection: Collection
) -> None:
    nearest(cached(kept), collection, [PROBE])
    face = make_face(collection, None, PROBE)
    follow()

    prune_changes()

    assert [row.face_id for row in vector_changes(collection.tenant_id)] == [face.id]
    assert [each.face_id for each in nearest(cached(kept), collection, [PROBE])[0]] == [face.id]


def test_what_all_copies_have_read_is_pruned(
    kept: KeptCopies, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_copies, "_FOLLOW_S", 0)
    make_face(collection, None, PROBE)

    def gone() -> bool:
        nearest(cached(kept), collection, [PROBE])
        follow()
        prune_changes()
        return vector_changes(collection.tenant_id) == []

    wait_until(gone, what="an empty outbox")
    assert kept.memory.age_s(collection.gallery) is not None


def test_a_follower_that_was_forgotten_makes_its_copies_anew(
    kept: KeptCopies, collection: Collection
) -> None:
    make_face(collection, None, unit_vector(3))
    assert found_by(kept, collection) == SearchIndex.CACHED
    with queue_transaction() as session:
        session.execute(text("UPDATE vector_followers SET seen_at = now() - interval '11 minutes'"))
    prune_changes()
    make_face(collection, None, PROBE)  # told to nobody

    assert found_by(kept, collection) == SearchIndex.EXACT
    follow()
    wait_until(lambda: found_by(kept, collection) == SearchIndex.CACHED, what="a copy made anew")


def test_a_worker_that_starts_again_misses_nothing_that_happened_meanwhile(
    kept: KeptCopies, collection: Collection
) -> None:
    erased = make_face(collection, None, PROBE)
    nearest(cached(kept), collection, [PROBE])
    leave()
    delete_face(collection.tenant_id, collection.id, erased.id, SYSTEM)
    face = make_face(collection, None, unit_vector(0, towards=1, cosine=0.9))

    follow()
    wait_until(lambda: found_by(kept, collection) == SearchIndex.CACHED, what="a copy")

    assert [each.face_id for each in nearest(cached(kept), collection, [PROBE])[0]] == [face.id]


def test_a_follower_that_never_said_that_it_is_there_stays(kept: KeptCopies) -> None:
    with queue_transaction() as session:
        session.execute(text("INSERT INTO vector_followers (name) VALUES ('store')"))
    try:
        prune_changes()
        with queue_transaction() as session:
            names = set(session.execute(text("SELECT name FROM vector_followers")).scalars())
        assert names == {"store", kept.follower}
    finally:
        with queue_transaction() as session:
            session.execute(text("DELETE FROM vector_followers WHERE name = 'store'"))


def test_no_copy_is_made_while_a_transaction_is_open_that_may_not_tell_of_its_changes(
    kept: KeptCopies, collection: Collection
) -> None:
    with tenant_transaction(TenantWorld.create().tenant_id) as session:
        session.execute(text("SELECT pg_current_xact_id()"))
        kept.memory.epoch = 0
        follow()
        assert found_by(kept, collection) == SearchIndex.EXACT

    wait_until(lambda: found_by(kept, collection) == SearchIndex.CACHED, what="a copy")


def test_more_changes_than_a_search_compares_are_followed_first(
    kept: KeptCopies, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_copies, "MOST_CHANGED", 3)
    nearest(cached(kept), collection, [PROBE])
    for seed in range(6):
        make_face(collection, None, drawn(seed))

    wait_until(lambda: found_by(kept, collection) == SearchIndex.CACHED, what="a copy")


def test_the_vector_of_an_erased_face_leaves_the_memory_with_the_next_search(
    kept: KeptCopies, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_copies, "_FOLLOW_S", 0)
    face = make_face(collection, None, drawn(1))
    make_face(collection, None, PROBE)
    nearest(cached(kept), collection, [PROBE])
    assert face.id.bytes in bytes(kept.memory._map)

    delete_face(collection.tenant_id, collection.id, face.id, SYSTEM)
    nearest(cached(kept), collection, [PROBE])

    assert face.id.bytes not in bytes(kept.memory._map)
    unit = np.asarray(drawn(1), np.float16).astype(np.float32)
    assert (unit / np.linalg.norm(unit))[:8].tobytes() not in bytes(kept.memory._map)


def test_an_erasure_that_a_copy_has_yet_to_read_costs_no_scan_of_the_collection(
    kept: KeptCopies, collection: Collection
) -> None:
    faces = [make_face(collection, None, drawn(seed)) for seed in range(30)]
    nearest(cached(kept), collection, [PROBE], 3)
    delete_face(collection.tenant_id, collection.id, faces[0].id, SYSTEM)

    with statements_sent() as sent:
        found = nearest(cached(kept), collection, [drawn(0), PROBE], 3)

    assert [len(each) for each in found] == [3, 3]
    assert not [each for each in sent if "ORDER BY distance" in each]


def test_a_copy_that_nobody_searches_is_dropped_after_the_stated_time(
    kept: KeptCopies, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_face(collection, None, PROBE)
    nearest(cached(kept), collection, [PROBE])
    follow()
    assert kept.memory.age_s(collection.gallery) is not None

    monkeypatch.setattr(follow_vectors, "MOST_IDLE_S", 0)
    follow()

    assert kept.memory.age_s(collection.gallery) is None


@pytest.mark.parametrize("faces", [200_000, 4_000_000])
def test_what_has_no_room_or_takes_too_long_to_copy_is_not_copied(
    app: Flask, collection: Collection, monkeypatch: pytest.MonkeyPatch, faces: int
) -> None:
    del app
    megabytes = 64 if faces < 10**6 else 4000
    kept = KeptCopies(CopyMemory(megabytes), "nobody")
    monkeypatch.setattr(choosing, "kept_copies", lambda: kept)
    collection.face_count = faces

    chosen = {choosing.choose(collection, 72).index for _ in range(20)}

    assert chosen == {SearchIndex.STREAMED}


def test_a_copy_is_made_once_searches_without_it_have_taken_as_long(
    kept: KeptCopies, collection: Collection
) -> None:
    del kept
    collection.face_count = 100_000
    asked = 0
    while choosing.choose(collection, 1).__class__ is ExactSql:
        asked += 1
        assert asked < 30

    assert asked > 3
