"""How long a count of what a tenant uses serves, and what becomes of what is let in meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from flask import Flask

from app.config import Settings
from app.domain.tenant_limits import Limit
from app.queries.tenant_use import STORAGE
from app.services.tenancy.room import Counts, Reading, Readings

TENANT = uuid4()


@dataclass
class World:
    """A clock, and a store whose counting takes a while."""

    now: float = 100.0
    stored: int = 0
    counts: int = 0
    takes_s: float = 0.01
    meanwhile: Callable[[], None] = lambda: None
    readings: Readings = field(default_factory=Readings)

    def count(self) -> Counts:
        seen = self.stored
        self.counts += 1
        self.now += self.takes_s
        self.meanwhile()
        return {Limit.STORAGE_BYTES: (seen, None)}

    def read(self) -> Reading:
        return self.readings.read(TENANT, STORAGE, self.count)

    def used(self) -> int:
        return self.read().used[Limit.STORAGE_BYTES]

    def let_in(self, size: int) -> None:
        """Let something in that is not written yet."""
        self.read().used[Limit.STORAGE_BYTES] += size


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World()
    monkeypatch.setattr("app.services.tenancy.room.time.monotonic", lambda: made.now)
    app = Flask(__name__)
    limits = dict.fromkeys(("max_jobs_in_flight", "max_items_waiting"), 100)
    app.config["SETTINGS"] = Settings.model_construct(
        **limits, max_storage_bytes=100, api_tenant_rate_limit_per_minute=100
    )
    with app.app_context():
        yield made


@pytest.mark.parametrize(("takes_s", "serves_s"), [(0.001, 0.02), (0.01, 0.2), (0.5, 1.0)])
def test_a_count_serves_twenty_times_as_long_as_it_took_a_second_at_most(
    world: World, takes_s: float, serves_s: float
) -> None:
    world.takes_s = takes_s
    world.read()
    world.now += serves_s * 0.99
    world.read()
    assert world.counts == 1
    world.now += serves_s * 0.02
    world.read()
    assert world.counts == 2


def test_what_is_let_in_is_added_until_it_is_counted(world: World) -> None:
    world.let_in(7)
    assert world.used() == 7
    world.stored = 7
    world.now += 2
    assert world.used() == 7


def test_while_one_counts_others_go_on_with_what_is_known(world: World) -> None:
    world.read()
    world.now += 2
    world.meanwhile, world.takes_s = world.read, 0.001
    world.read()
    assert world.counts == 2


def test_what_is_let_in_while_one_counts_is_not_forgotten(world: World) -> None:
    world.read()
    world.now += 2
    world.meanwhile, world.takes_s = lambda: world.let_in(7), 0.001
    assert world.used() == 7


def test_of_two_that_count_at_once_the_later_takes_the_others_reading(world: World) -> None:
    def other() -> None:
        world.meanwhile = lambda: None
        world.let_in(7)

    world.meanwhile = other
    assert world.used() == 7
