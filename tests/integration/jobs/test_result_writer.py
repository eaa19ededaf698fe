"""The thread that stores batches while the next one is recognised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from app.adapters.s3 import ObjectStore
from app.domain.outcomes import ItemOutcome, Provenance
from app.services.leases.begin_shard import begin_shard
from app.services.leases.claim_hints import reclaim_expired_leases
from tests.factories.outcomes import outcome
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import detect_job, expire, found, leased
from workers.recognition.lease_keeper import LeaseKeeper
from workers.recognition.open_work import OpenWork
from workers.recognition.result_writer import ResultWriter

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]

MADE_BY = Provenance("onnxruntime fp32", "7")


@pytest.fixture
def writer(app: Flask) -> Iterator[ResultWriter]:
    with ResultWriter(app, LeaseKeeper(app, 30, 30), MADE_BY) as writer:
        yield writer


def opened(world: TenantWorld, items: int = 3) -> OpenWork:
    """A shard as a task holds it."""
    work = begin_shard(leased(detect_job(world, items)))
    assert work is not None
    settings = current_app.config["SETTINGS"]
    return OpenWork(work, ObjectStore.from_settings(settings), settings)


def impossible(seq: int) -> ItemOutcome:
    """An outcome that the database refuses: two faces with one number."""
    seen = outcome(seq)
    assert seen.image is not None
    return replace(seen, image=replace(seen.image, faces=seen.image.faces * 2))


def test_what_was_put_is_stored_when_flush_returns(
    world: TenantWorld, writer: ResultWriter
) -> None:
    mine, anothers = opened(world), opened(TenantWorld.create())

    writer.put({mine: list(found(0, 1)), anothers: list(found(2))})
    writer.flush()

    assert writer.closed == 3
    assert (mine.open_seqs, anothers.open_seqs) == ([2], [0, 1])
    assert world.job(mine.lease.shard.job_id).succeeded_items == 2
    item = world.items(mine.lease.shard.job_id)["i0"]
    assert (item.engine, item.pipeline) == (MADE_BY.engine, MADE_BY.pipeline)


def test_a_shard_whose_last_item_is_stored_is_let_go(
    world: TenantWorld, writer: ResultWriter
) -> None:
    work = opened(world)

    writer.put({work: list(found(0, 1, 2))})
    writer.flush()

    assert (work.finished, work.live) == (True, False)


def test_a_lost_lease_stops_its_shard_and_no_other(
    world: TenantWorld, writer: ResultWriter
) -> None:
    late, held = opened(world), opened(world)
    expire(late.lease)
    reclaim_expired_leases()

    writer.put({late: list(found(0)), held: list(found(0))})
    writer.flush()

    assert (late.live, held.live) == (False, True)
    assert late.open_seqs == [0, 1, 2]
    assert writer.closed == 1


def test_what_storing_met_is_raised_before_the_next_batch_is_taken(
    world: TenantWorld, writer: ResultWriter
) -> None:
    work = opened(world)
    writer.put({work: [impossible(0)]})

    with pytest.raises(SQLAlchemyError):
        writer.put({work: list(found(1))})

    writer.flush()
    assert world.job(work.lease.shard.job_id).open_items == 3
