"""Which shards go next: interactive before bulk, and tenants in turn by items."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from app.domain.lease import ShardRef
from app.domain.states import Priority

# While both lanes wait, bulk keeps at least this share of the places.
BULK_SHARE = 0.2


@dataclass(frozen=True)
class Candidate:
    """A shard that could start now."""

    shard: ShardRef
    tenant_id: UUID
    priority: Priority
    items: int


@dataclass
class FairShare:
    """Deficit round-robin over tenants, weighted by items (Shreedhar and Varghese, 1996).

    In each round a tenant earns `quantum` items and spends them on its oldest shards, so a tenant
    of many small shards and one of few large ones get the same number of images.
    """

    quantum: int
    _deficits: Counter[UUID] = field(default_factory=Counter)
    _last_served: UUID | None = None
    _bulk_credit: float = 0.0

    def select(self, candidates: Iterable[Candidate], places: int) -> list[Candidate]:
        """Choose at most `places` of the candidates, which come oldest first within a tenant."""
        lanes: dict[Priority, dict[UUID, deque[Candidate]]] = {lane: {} for lane in Priority}
        for candidate in candidates:
            lane = lanes[candidate.priority]
            lane.setdefault(candidate.tenant_id, deque()).append(candidate)
        chosen: list[Candidate] = []
        while len(chosen) < places and any(lanes.values()):
            chosen.append(self._next(lanes[self._lane(lanes)]))
        self._forget_idle(lanes)
        return chosen

    def _lane(self, lanes: dict[Priority, dict[UUID, deque[Candidate]]]) -> Priority:
        if not lanes[Priority.BULK]:
            return Priority.INTERACTIVE
        if not lanes[Priority.INTERACTIVE]:
            return Priority.BULK
        self._bulk_credit += BULK_SHARE
        # Five times a fifth is a hair below one in binary.
        if self._bulk_credit > 1 - 1e-9:
            self._bulk_credit -= 1
            return Priority.BULK
        return Priority.INTERACTIVE

    def _next(self, lane: dict[UUID, deque[Candidate]]) -> Candidate:
        while True:
            for tenant in self._rotation(lane):
                shards = lane[tenant]
                if self._deficits[tenant] < shards[0].items:
                    self._deficits[tenant] += self.quantum
                    if self._deficits[tenant] < shards[0].items:
                        continue
                return self._serve(lane, tenant)

    def _serve(self, lane: dict[UUID, deque[Candidate]], tenant: UUID) -> Candidate:
        chosen = lane[tenant].popleft()
        self._deficits[tenant] -= chosen.items
        if not lane[tenant]:
            del lane[tenant]
        follows = lane.get(tenant)
        stays = follows is not None and self._deficits[tenant] >= follows[0].items
        self._last_served = self._before(tenant) if stays else tenant
        return chosen

    def _before(self, tenant: UUID) -> UUID:
        return UUID(int=max(tenant.int - 1, 0))

    def _rotation(self, lane: dict[UUID, deque[Candidate]]) -> list[UUID]:
        tenants = sorted(lane)
        if self._last_served is None:
            return tenants
        later = [tenant for tenant in tenants if tenant > self._last_served]
        return later + [tenant for tenant in tenants if tenant <= self._last_served]

    def _forget_idle(self, lanes: dict[Priority, dict[UUID, deque[Candidate]]]) -> None:
        waiting = {tenant for lane in lanes.values() for tenant in lane}
        for tenant in self._deficits.keys() - waiting:
            del self._deficits[tenant]
