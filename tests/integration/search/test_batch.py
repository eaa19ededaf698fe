"""A worker's batch is searched by whatever strategy is chosen, and its results are the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.job_request import ItemRequest
from app.domain.lease import Lease, ShardRef
from app.domain.outcomes import ItemOutcome
from app.domain.states import Operation
from app.models.collection import Collection
from app.services.gallery import search
from app.services.gallery.strategies.strategy import Strategy
from app.services.results.job_batch import ShardResults
from app.services.results.store_results import store_results
from tests.factories.galleries import make_collection, make_face, make_subject, unit_vector
from tests.factories.outcomes import outcome
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]


@pytest.fixture
def parked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs of a model that no running worker serves: the test itself plays the worker."""
    monkeypatch.setattr("app.services.jobs.new_job._model_of", lambda *_: "SFace@parked")


@pytest.fixture
def chosen(strategy: Strategy, monkeypatch: pytest.MonkeyPatch) -> Strategy:
    """The strategy that every search takes."""
    monkeypatch.setattr(search, "choose", lambda *_: strategy)
    return strategy


def showing(axis: int, seq: int) -> ItemOutcome:
    """An item whose image shows one face."""
    made = outcome(seq)
    assert made.image is not None
    face = replace(made.image.faces[0], embedding=tuple(unit_vector(axis)))
    return replace(made, image=replace(made.image, faces=(face,)))


def submitted(world: TenantWorld, collection: Collection, items: int) -> Lease:
    requests = [ItemRequest(f"i{n}", world.uri(f"{n}.jpg")) for n in range(items)]
    job_id = world.submit(Operation.IDENTIFY, *requests, collection_id=collection.id)
    return begun(ShardRef(job_id, 0))


def test_each_probe_of_two_collections_is_answered_with_its_own_person(
    world: TenantWorld, chosen: Strategy
) -> None:
    collections = [make_collection(world.tenant_id, threshold=0.4) for _ in range(2)]
    people = [
        [make_face(each, make_subject(each), unit_vector(axis)).subject_id for axis in range(5)]
        for each in collections
    ]
    leases = [submitted(world, each, 5) for each in collections]
    shown = tuple(showing(axis, axis) for axis in range(5))

    store_results(world.tenant_id, [ShardResults(lease, shown) for lease in leases])

    for lease, subjects in zip(leases, people, strict=True):
        faces = [world.faces(lease.shard.job_id, f"i{axis}")[0] for axis in range(5)]
        assert [face.decision for face in faces] == ["match"] * 5
        named = [(face.matches or [{}])[0]["subject_id"] for face in faces]
        assert named == [str(subject) for subject in subjects]
        assert {face.search_index for face in faces} == {chosen.index}
        assert {face.search_faces for face in faces} == {5}
