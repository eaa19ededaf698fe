from __future__ import annotations

from collections import Counter
from uuid import UUID

from app.domain.fairness import Candidate, FairShare
from app.domain.identifiers import new_id
from app.domain.lease import ShardRef
from app.domain.states import Priority

ALICE, BOB = UUID(int=1), UUID(int=2)


def shards(
    tenant: UUID, count: int, *, items: int = 256, priority: Priority = Priority.BULK
) -> list[Candidate]:
    job = new_id()
    return [Candidate(ShardRef(job, no), tenant, priority, items) for no in range(count)]


def test_two_tenants_with_equal_shards_take_turns() -> None:
    chosen = FairShare(quantum=256).select(shards(ALICE, 10) + shards(BOB, 10), 6)

    assert [c.tenant_id for c in chosen] == [ALICE, BOB, ALICE, BOB, ALICE, BOB]


def test_turns_are_kept_from_one_call_to_the_next() -> None:
    share = FairShare(quantum=256)
    candidates = shards(ALICE, 10) + shards(BOB, 10)

    served = [share.select(candidates, 1)[0].tenant_id for _ in range(4)]

    assert served == [ALICE, BOB, ALICE, BOB]


def test_tenants_share_by_items_not_by_shards() -> None:
    share = FairShare(quantum=256)
    waiting = shards(ALICE, 1000, items=16) + shards(BOB, 100, items=256)

    items = Counter[UUID]()
    for chosen in share.select(waiting, 340):
        items[chosen.tenant_id] += chosen.items

    assert abs(items[ALICE] - items[BOB]) <= 256


def test_the_oldest_shard_of_a_tenant_goes_first() -> None:
    waiting = shards(ALICE, 5)

    chosen = FairShare(quantum=256).select(waiting, 3)

    assert [c.shard.shard_no for c in chosen] == [0, 1, 2]


def test_a_shard_larger_than_the_quantum_still_gets_its_turn() -> None:
    chosen = FairShare(quantum=256).select(shards(ALICE, 1, items=10_000), 1)

    assert len(chosen) == 1


def test_a_shard_with_nothing_open_costs_nothing_and_stops_nobody() -> None:
    waiting = shards(ALICE, 1, items=0) + shards(BOB, 1)

    assert FairShare(quantum=256).select(waiting, 2) == waiting


def test_interactive_shards_go_before_bulk_but_leave_it_a_fifth() -> None:
    waiting = shards(ALICE, 100) + shards(BOB, 100, items=1, priority=Priority.INTERACTIVE)

    lanes = Counter(c.priority for c in FairShare(quantum=256).select(waiting, 50))

    assert lanes == {Priority.INTERACTIVE: 40, Priority.BULK: 10}


def test_an_empty_lane_gives_its_places_to_the_other() -> None:
    interactive = shards(BOB, 7, items=1, priority=Priority.INTERACTIVE)

    assert len(FairShare(quantum=256).select(interactive, 10)) == 7
    assert len(FairShare(quantum=256).select(shards(ALICE, 7), 10)) == 7


def test_no_places_means_no_shards() -> None:
    assert FairShare(quantum=256).select(shards(ALICE, 3), 0) == []
