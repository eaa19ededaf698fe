"""Whichever strategy is taken, the answer is that of comparing every face in SQL."""

from __future__ import annotations

from functools import cache

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.database.transactions import tenant_transaction
from app.services.gallery.search import nearest_subjects
from app.services.gallery.strategies import candidates
from app.services.gallery.strategies.exact_sql import ExactSql
from app.services.gallery.strategies.strategy import Strategy
from tests.factories.crowd import Crowd, make_crowd, nearest, probes_of

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("app")]

_crowd = cache(make_crowd)


@pytest.fixture
def crowd(app: Flask) -> Crowd:
    """Made once: nothing here changes it."""
    del app
    return _crowd()


drawn = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@drawn
@given(seed=st.integers(0, 2**32), count=st.integers(1, 9), limit=st.integers(1, 400))
def test_the_nearest_faces_are_those_of_sql_in_its_order(
    crowd: Crowd, strategy: Strategy, seed: int, count: int, limit: int
) -> None:
    probes = probes_of(crowd, seed, count)

    found = nearest(strategy, crowd.collection, probes, limit)

    assert found == nearest(ExactSql(), crowd.collection, probes, limit)
    for probe, neighbours in zip(probes, found, strict=True):
        similarities = [neighbour.similarity for neighbour in neighbours]
        assert similarities == pytest.approx(crowd.similarities(probe, limit), abs=1e-5)


@drawn
@given(seed=st.integers(0, 2**32), count=st.integers(1, 5), wanted=st.integers(1, 60))
def test_the_nearest_people_are_those_of_sql(
    crowd: Crowd, strategy: Strategy, seed: int, count: int, wanted: int
) -> None:
    probes = probes_of(crowd, seed, count)

    with tenant_transaction(crowd.collection.tenant_id) as session:
        found = nearest_subjects(session, crowd.collection, probes, wanted, strategy)
        right = nearest_subjects(session, crowd.collection, probes, wanted, ExactSql())

    assert found.nearest == right.nearest
    assert (found.report.index, found.report.recall) == (strategy.index, 1)


@pytest.mark.parametrize("limit", [1, 5, 29])
def test_of_more_equals_than_are_asked_for_those_enrolled_first_are_found(
    crowd: Crowd, strategy: Strategy, limit: int
) -> None:
    equals = [face_id for face_id, vector in crowd.faces.items() if vector == _thirty(crowd)]

    (found,) = nearest(strategy, crowd.collection, [_thirty(crowd)], limit)

    assert [neighbour.face_id for neighbour in found] == sorted(equals)[:limit]


def test_a_photograph_that_is_there_too_often_to_be_kept_is_left_to_sql(
    crowd: Crowd, strategy: Strategy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "_MOST_TIES", 10)
    probes = [_thirty(crowd), *probes_of(crowd, 3, 4)]

    found = nearest(strategy, crowd.collection, probes, 5)

    assert found == nearest(ExactSql(), crowd.collection, probes, 5)


def test_no_probes_have_no_answers(crowd: Crowd, strategy: Strategy) -> None:
    assert nearest(strategy, crowd.collection, []) == []


def _thirty(crowd: Crowd) -> list[float]:
    """The picture of which there are thirty."""
    return list(list(crowd.faces.values())[200])
