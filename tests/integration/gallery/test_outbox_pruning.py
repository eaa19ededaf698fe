"""The outbox of the vectors keeps what somebody has yet to read, and nothing else."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.database.transactions import queue_transaction
from app.models.collection import Collection
from app.services.gallery import prune_changes as prune_changes_module
from app.services.gallery.prune_changes import prune_changes
from tests.factories.galleries import make_face
from tests.factories.outbox import told
from tests.support.processes import wait_until

pytestmark = pytest.mark.stack


def follow(name: str, position: str = "pg_snapshot_xmin(pg_current_snapshot())") -> None:
    with queue_transaction() as session:
        session.execute(
            text(
                f"INSERT INTO vector_followers (name, position) VALUES (:name, {position}) "
                "ON CONFLICT (name) DO UPDATE SET position = excluded.position"
            ),
            {"name": name},
        )


@pytest.mark.usefixtures("follower")
def test_what_the_follower_has_yet_to_read_stays(collection: Collection) -> None:
    face = make_face(collection, None)

    prune_changes()

    assert told(collection.tenant_id) == [("added", face.id)]


@pytest.mark.usefixtures("follower")
def test_what_all_followers_have_read_goes_and_what_one_has_not_stays(
    collection: Collection,
) -> None:
    make_face(collection, None)
    wait_until(all_is_settled, seconds=120, what="the end of transactions from before")
    follow("slow")
    later = make_face(collection, None)

    def the_first_alone_is_gone() -> bool:
        follow("copy")  # all that is settled by now; transactions of others may be open
        prune_changes()
        return told(collection.tenant_id) == [("added", later.id)]

    wait_until(the_first_alone_is_gone, seconds=120, what="the first change pruned")


@pytest.mark.usefixtures("follower")
def test_where_nobody_follows_any_more_all_goes_in_batches(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune_changes_module, "_ROWS_A_BATCH", 2)
    for _ in range(5):
        make_face(collection, None)
    with queue_transaction() as session:
        session.execute(text("DELETE FROM vector_followers"))

    wait_until(all_is_settled, seconds=120, what="the end of transactions from before")

    assert prune_changes() >= 5
    assert told(collection.tenant_id) == []


def all_is_settled() -> bool:
    with queue_transaction() as session:
        query = (
            "SELECT bool_and(xact < pg_snapshot_xmin(pg_current_snapshot())) FROM vector_changes"
        )
        return bool(session.scalar(text(query)))
