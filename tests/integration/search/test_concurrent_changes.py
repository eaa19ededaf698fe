"""While others enrol and erase, whoever is there is found and whoever is gone is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock
from uuid import UUID

import pytest
from flask import Flask

from app.domain.actor import SYSTEM
from app.domain.gallery import Embedding
from app.domain.searches import SearchIndex
from app.models.collection import Collection
from app.services.gallery.faces import delete_face
from app.services.gallery.follow_vectors import kept_copies
from app.services.gallery.strategies import warm_copies
from app.services.gallery.strategies.exact_cached import ExactCached
from app.services.gallery.strategies.exact_sql import ExactSql
from app.services.gallery.strategies.strategy import Strategy
from tests.factories.crowd import nearest
from tests.factories.galleries import make_face
from tests.factories.outcomes import unit_vector

pytestmark = pytest.mark.stack

_SEARCHES = 40


@dataclass
class Ledger:
    """Which faces are certainly there, and which are certainly gone."""

    live: dict[UUID, Embedding] = field(default_factory=dict)
    gone: dict[UUID, Embedding] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)
    done: Event = field(default_factory=Event)


@pytest.fixture
def meeting(strategy: Strategy, monkeypatch: pytest.MonkeyPatch) -> Strategy:
    """The strategy, following often; where a copy cannot be had for a moment, SQL answers."""
    monkeypatch.setattr(warm_copies, "MOST_CHANGED", 8)
    monkeypatch.setattr(warm_copies, "_FOLLOW_S", 0.02)
    kept = kept_copies()
    return ExactCached(kept, ExactSql()) if kept else strategy


def test_whoever_is_there_is_found_and_whoever_is_gone_is_not(
    app: Flask, collection: Collection, meeting: Strategy
) -> None:
    ledger = Ledger()
    for seed in range(20):
        _enrol(collection, ledger, seed)

    def beside(work: Callable[[random.Random], None], seed: int) -> None:
        draw = random.Random(seed)  # noqa: S311 - a reproducible draw
        with app.app_context():
            while not ledger.done.is_set():
                work(draw)

    def enrol(draw: random.Random) -> None:
        _enrol(collection, ledger, draw.randrange(10**9))

    def erase(draw: random.Random) -> None:
        _erase(collection, ledger, draw)
        if (kept := kept_copies()) and draw.random() < 0.1:
            kept.memory.drop()

    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(beside, enrol, 1), pool.submit(beside, erase, 2)]
        try:
            used = [_search(collection, ledger, meeting, seed) for seed in range(_SEARCHES)]
        finally:
            ledger.done.set()
        for other in others:
            other.result(timeout=60)

    assert SearchIndex.CACHED in used or not kept_copies()


def _enrol(collection: Collection, ledger: Ledger, seed: int) -> None:
    vector = unit_vector(seed)
    face = make_face(collection, None, vector)
    with ledger.lock:
        ledger.live[face.id] = vector


def _erase(collection: Collection, ledger: Ledger, draw: random.Random) -> None:
    with ledger.lock:
        if len(ledger.live) < 10:
            return
        face_id = draw.choice(list(ledger.live))
        vector = ledger.live.pop(face_id)
    delete_face(collection.tenant_id, collection.id, face_id, SYSTEM)
    with ledger.lock:
        ledger.gone[face_id] = vector


def _search(collection: Collection, ledger: Ledger, strategy: Strategy, seed: int) -> SearchIndex:
    """Look for five who are there and five who are gone; those erased meanwhile do not count."""
    draw = random.Random(seed)  # noqa: S311 - a reproducible draw
    with ledger.lock:
        there = draw.sample(list(ledger.live.items()), 5)
        gone = draw.sample(list(ledger.gone.items()), min(5, len(ledger.gone)))
        gone_before = set(ledger.gone)
    if isinstance(strategy, ExactCached):
        strategy.index = SearchIndex.CACHED

    found = nearest(strategy, collection, [vector for _, vector in (*there, *gone)], 5)

    with ledger.lock:
        stayed = set(ledger.live)
    for (face_id, _), neighbours in zip(there, found, strict=False):
        assert face_id not in stayed or neighbours[0].face_id == face_id
    assert not {each.face_id for neighbours in found for each in neighbours} & gone_before
    assert {len(neighbours) for neighbours in found} == {5}
    return strategy.index
