"""A small job beside a large one of another tenant, on the only slot there is."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.domain.job_request import ItemRequest
from app.domain.states import Operation, ShardState
from scripts.bench.trial import images
from tests.chaos.conftest import BATCH, Battlefield
from tests.factories.tenant_world import TenantWorld
from tests.support.processes import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow]

FIRST, LAST = "5.jpg", f"{2 * BATCH + 6}.jpg"


def _submit_small(world: TenantWorld) -> UUID:
    portrait = world.put("small.jpg", images.original("collins").content)
    return world.submit(Operation.DETECT, ItemRequest("a", portrait))


def test_a_small_job_joins_a_running_task_though_its_message_waits_behind_it(
    field: Battlefield,
) -> None:
    neighbour = TenantWorld.create()
    field.gate.hold(FIRST)
    field.gate.hold(LAST)
    large = field.submit(3 * BATCH)
    field.wait_before(FIRST, large, open_items=3 * BATCH)

    small = _submit_small(neighbour)
    wait_until(
        lambda: neighbour.shards(small)[0].hint_expires_at is not None, what="the message sent"
    )
    field.gate.release(FIRST)

    neighbour.finished(small, 20)
    assert field.shard(large).state == ShardState.LEASED
    field.gate.release(LAST)
    field.assert_whole(large)


def test_a_small_job_that_joins_as_a_task_ends_is_not_handed_back(field: Battlefield) -> None:
    neighbour = TenantWorld.create()
    field.gate.hold(FIRST)
    large = field.submit(BATCH + 1)
    field.wait_before(FIRST, large, open_items=BATCH + 1)

    small = _submit_small(neighbour)
    field.gate.release(FIRST)

    neighbour.finished(small, 20)
    field.assert_whole(large)
    # A second lease would have a second token.
    assert neighbour.shards(small)[0].lease_token == 1
