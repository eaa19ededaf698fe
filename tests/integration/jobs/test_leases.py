"""Who may work on a shard, for how long, and who is blamed for a death."""

from __future__ import annotations

import os

import pytest

from app.domain.lease import POISON_DEATHS, Holder
from app.domain.states import JobState, ShardState
from app.services.leases.begin_shard import begin_shard
from app.services.leases.claim_hints import HOPELESS_ATTEMPTS, reclaim_expired_leases
from app.services.leases.lease_shards import (
    begin_trial,
    free_dead_predecessors,
    hand_back,
    lease_shard,
    renew_leases,
)
from app.services.results.bury_item import bury_item
from app.services.results.job_batch import ShardFate
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import ME, OTHER, begun, detect_job, expire, leased

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]


def test_items_are_cut_into_shards_of_the_configured_size(world: TenantWorld) -> None:
    shard = detect_job(world, 600)

    shards = world.shards(shard.job_id)

    assert [(s.first_seq, s.item_count, s.open_items) for s in shards] == [
        (0, 256, 256),
        (256, 256, 256),
        (512, 88, 88),
    ]


def test_a_shard_is_leased_once(world: TenantWorld) -> None:
    shard = detect_job(world)

    assert lease_shard(shard, ME, 30) is not None
    assert lease_shard(shard, OTHER, 30) is None


def test_beginning_a_shard_starts_its_job(world: TenantWorld) -> None:
    lease = leased(detect_job(world))

    work = begin_shard(lease)

    job = world.job(lease.shard.job_id)
    assert work is not None
    assert [item.seq for item in work.items] == [0, 1, 2]
    assert job.state == JobState.PROCESSING
    assert job.started_at is not None


def test_an_expired_lease_blames_nobody(world: TenantWorld) -> None:
    lease = begun(detect_job(world))
    expire(lease)

    reclaim_expired_leases()

    (shard,) = world.shards(lease.shard.job_id)
    assert (shard.state, shard.isolated, shard.trial_deaths) == (ShardState.PENDING, False, 0)


def test_a_shard_that_lost_three_leases_without_a_result_is_tried_item_by_item(
    world: TenantWorld,
) -> None:
    shard = detect_job(world)
    for _ in range(3):
        expire(leased(shard))
        reclaim_expired_leases()

    assert leased(shard).isolated


def test_a_renewed_lease_lives_on_and_a_lost_one_is_not_renewed(world: TenantWorld) -> None:
    kept, lost = leased(detect_job(world)), leased(detect_job(world))
    expire(lost)
    reclaim_expired_leases()

    assert renew_leases([kept, lost], 30) == [kept]


def test_handing_back_counts_no_attempt(world: TenantWorld) -> None:
    lease = begun(detect_job(world))

    hand_back([lease])

    (shard,) = world.shards(lease.shard.job_id)
    assert (shard.state, shard.attempt_count, shard.open_items) == (ShardState.PENDING, 0, 3)


def test_a_replacement_frees_its_dead_siblings_lease_at_once_and_isolates_it(
    world: TenantWorld,
) -> None:
    no_such_process = 2**22 + 1
    dead = leased(detect_job(world), Holder("worker@here/3", no_such_process))

    freed = free_dead_predecessors(Holder("worker@here/3", 1))

    (shard,) = world.shards(dead.shard.job_id)
    assert freed == [dead.shard]
    assert (shard.state, shard.isolated) == (ShardState.PENDING, True)


def test_the_living_siblings_of_a_replacement_keep_their_leases(world: TenantWorld) -> None:
    living = leased(detect_job(world), Holder("worker@here/4", os.getpid()))

    assert free_dead_predecessors(Holder("worker@here/4", 1)) == []
    assert renew_leases([living], 30) == [living]


def test_only_deaths_alone_with_an_item_count_against_it(world: TenantWorld) -> None:
    shard = detect_job(world)
    no_such_process = 2**22 + 1
    deaths = []
    for _ in range(3):
        lease = leased(shard, Holder("worker@here/5", no_such_process))
        if lease.isolated:
            deaths.append(begin_trial(lease, 0))
        free_dead_predecessors(Holder("worker@here/5", 1))
    last = begin_trial(leased(shard), 0)

    assert [*deaths, last] == [0, 1, 2]


def test_a_trial_of_another_item_starts_from_no_deaths(world: TenantWorld) -> None:
    lease = leased(detect_job(world), Holder("worker@here/6", 2**22 + 1))
    begin_trial(lease, 0)
    free_dead_predecessors(Holder("worker@here/6", 1))

    assert begin_trial(leased(lease.shard), 1) == 0


@pytest.mark.parametrize(
    ("losses", "poison"), [(HOPELESS_ATTEMPTS - 1, False), (HOPELESS_ATTEMPTS, True)]
)
def test_an_item_that_takes_whole_workers_along_is_given_up_after_many_lost_leases(
    world: TenantWorld, losses: int, poison: bool
) -> None:
    shard = detect_job(world)
    for _ in range(losses):
        lease = leased(shard)
        if lease.isolated:
            begin_trial(lease, 0)
        expire(lease)
        reclaim_expired_leases()

    deaths = begin_trial(leased(shard), 0)

    assert deaths is not None
    assert (deaths >= POISON_DEATHS) is poison


def test_a_buried_item_fails_leaves_a_dead_letter_and_ends_the_isolation(
    world: TenantWorld,
) -> None:
    lease = begun(detect_job(world))
    begin_trial(lease, 1)

    assert bury_item(lease, 1) is ShardFate.GOES_ON

    (letter,) = world.query("SELECT item_seq, code, image_uri FROM dead_letters")
    (shard,) = world.shards(lease.shard.job_id)
    assert tuple(letter) == (1, "worker_crashed", world.uri("1.jpg"))
    assert world.items(lease.shard.job_id)["i1"].error_code == "worker_crashed"
    assert (shard.isolated, shard.open_items) == (False, 2)
