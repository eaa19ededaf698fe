"""What identify and verify answer, on embeddings at stated angles to those of the gallery."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from app.database.base import db
from app.database.transactions import tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest
from app.domain.lease import Lease, ShardRef
from app.domain.model_registry import load_registry
from app.domain.outcomes import ItemOutcome
from app.domain.states import Operation
from app.models.collection import Collection
from app.queries.nearest_faces import nearest_faces
from app.services.gallery.collections import NewCollection, create_collection
from app.services.results.job_batch import ShardResults
from app.services.results.store_results import store_results
from tests.factories.galleries import make_collection, make_face, make_subject, unit_vector
from tests.factories.outcomes import outcome
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, store

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]

PROBE = unit_vector(0)
PARKED_MODEL = "SFace@parked"


@pytest.fixture
def collection(world: TenantWorld) -> Collection:
    return make_collection(world.tenant_id, threshold=0.4)


def near(similarity: float, axis: int) -> list[float]:
    """A vector at this similarity to the probe, in a direction of its own."""
    return unit_vector(0, towards=axis, cosine=similarity)


def showing(vector: list[float], seq: int = 0) -> ItemOutcome:
    """An item whose image shows one face with this embedding."""
    made = outcome(seq)
    assert made.image is not None
    face = replace(made.image.faces[0], embedding=tuple(vector))
    return replace(made, image=replace(made.image, faces=(face,)))


def search(world: TenantWorld, collection: Collection, **options: Any) -> Lease:
    job_id = world.submit(
        Operation.IDENTIFY,
        ItemRequest("probe", world.uri("probe.jpg")),
        collection_id=collection.id,
        options=JobOptions(**options),
    )
    return begun(ShardRef(job_id, 0))


def identified(world: TenantWorld, collection: Collection, **options: Any) -> Any:
    """The face of an identify job's one item that shows the probe."""
    lease = search(world, collection, **options)
    store(lease, showing(PROBE))
    (face,) = world.faces(lease.shard.job_id, "probe")
    return face


def test_nobody_of_another_collection_is_found(world: TenantWorld, collection: Collection) -> None:
    other = make_collection(world.tenant_id, threshold=0.4)
    make_face(other, make_subject(other), PROBE)
    make_face(collection, make_subject(collection, "here"), near(0.1, 1))

    face = identified(world, collection)

    assert [match["subject"] for match in face.matches] == ["here"]
    assert face.decision == "unknown"


def test_the_nearest_are_found_among_more_faces_than_are_looked_at(
    world: TenantWorld, collection: Collection
) -> None:
    for axis in range(1, 31):
        make_face(collection, make_subject(collection, f"p{axis}"), near(axis / 40, axis))

    face = identified(world, collection, top_k=3)

    assert [match["subject"] for match in face.matches] == ["p30", "p29", "p28"]


@pytest.mark.parametrize("top_k", [1, 5])
def test_two_people_that_cannot_be_told_apart_are_ambiguous_however_many_are_shown(
    world: TenantWorld, collection: Collection, top_k: int
) -> None:
    for axis, similarity in ((1, 0.72), (2, 0.70)):
        make_face(collection, make_subject(collection), near(similarity, axis))

    face = identified(world, collection, top_k=top_k)

    assert face.decision == "ambiguous"
    assert len(face.matches) == min(top_k, 2)


def test_a_person_with_many_faces_hides_nobody(world: TenantWorld, collection: Collection) -> None:
    crowd, other = make_subject(collection), make_subject(collection, "other")
    for axis in range(1, 41):
        make_face(collection, crowd, near(0.72, axis))
    make_face(collection, other, near(0.70, 41))

    face = identified(world, collection, top_k=2)

    assert face.decision == "ambiguous"
    assert face.matches[1]["subject"] == "other"


def test_the_same_search_gives_the_same_whatever_else_is_in_its_batch(
    world: TenantWorld, collection: Collection
) -> None:
    for axis in range(1, 12):
        make_face(collection, make_subject(collection), near(0.6 - axis / 100, axis))
    alone = identified(world, collection, top_k=3)
    leases = [search(world, collection, top_k=top_k) for top_k in (3, 10)]

    store_results(world.tenant_id, [ShardResults(each, (showing(PROBE),)) for each in leases])

    (together,) = world.faces(leases[0].shard.job_id, "probe")
    assert together.matches == alone.matches
    assert len(alone.matches) == 3


def test_each_probe_of_a_batch_is_answered_with_its_own_person(
    world: TenantWorld, collection: Collection
) -> None:
    people = [make_subject(collection) for _ in range(6)]
    for axis, person in enumerate(people):
        make_face(collection, person, unit_vector(axis))
    items = [ItemRequest(f"i{n}", world.uri(f"{n}.jpg")) for n in range(6)]
    job_id = world.submit(Operation.IDENTIFY, *items, collection_id=collection.id)

    store(begun(ShardRef(job_id, 0)), *(showing(unit_vector(n), n) for n in range(6)))

    named = [world.faces(job_id, f"i{n}")[0].matches[0]["subject_id"] for n in range(6)]
    assert named == [str(person.id) for person in people]


def test_of_equally_similar_people_the_one_enrolled_first_stands_first(
    world: TenantWorld, collection: Collection
) -> None:
    people = [make_subject(collection) for _ in range(4)]
    for person in people:
        make_face(collection, person, near(0.6, 1))

    face = identified(world, collection)

    assert [match["subject_id"] for match in face.matches] == [str(each.id) for each in people]
    assert face.decision == "ambiguous"


def test_a_target_rate_asks_for_more_similarity_in_a_larger_collection(world: TenantWorld) -> None:
    collection_id = world.collection(target_fpir=0.01)
    thresholds = []
    for face_count in (1, 10_000):
        world.query(
            "UPDATE collections SET face_count = :n WHERE id = :id RETURNING id",
            n=face_count,
            id=collection_id,
        )
        thresholds.append(identified(world, _read(world, collection_id)).threshold)

    assert thresholds == pytest.approx([0.2963, 0.5220], abs=1e-3)


def test_an_unreachable_target_rate_names_nobody_and_stores_its_result(world: TenantWorld) -> None:
    collection = _read(world, world.collection(target_fpir=5e-324))
    for _ in range(3):
        make_face(collection, make_subject(collection), PROBE)

    assert identified(world, collection).decision == "unknown"


def test_a_search_reads_its_probe_and_its_tenant_once_and_a_distance_once_a_row(
    world: TenantWorld, collection: Collection
) -> None:
    """With 50,000 faces, reading the probe's text takes a second, the tenant's id 40 ms."""
    with tenant_transaction(world.tenant_id) as session, _statements() as sent:
        nearest_faces(session, collection.gallery, [PROBE], 5)
        (statement,) = sent
        explain = f"EXPLAIN (VERBOSE) {statement[0]}"
        answer = session.connection().exec_driver_sql(explain, statement[1])
        plan = list(answer.scalars())

    keys = [line for line in plan if "Sort Key" in line and "<=>" in line]
    (scan,) = (number for number, line in enumerate(plan) if "on public.face_vectors_128" in line)
    (filter_,) = [line for line in plan[scan:] if "Filter:" in line][:1]
    (output,) = [line for line in plan[scan:] if "Output:" in line][:1]
    assert output.count("<=>") == 1
    assert keys
    assert not any("::halfvec" in key for key in keys)
    assert "tenant_id = (InitPlan" in filter_


def group(*vectors: list[float]) -> ItemOutcome:
    """An item whose image shows several faces."""
    made = outcome(0)
    assert made.image is not None
    (face,) = made.image.faces
    faces = [
        replace(face, face_no=number, embedding=tuple(vector))
        for number, vector in enumerate(vectors)
    ]
    return replace(made, image=replace(made.image, faces=tuple(faces)))


def test_two_faces_of_one_image_are_one_person_only_where_the_client_says_so(
    world: TenantWorld, collection: Collection
) -> None:
    make_face(collection, make_subject(collection, "ada"), PROBE)
    make_face(collection, make_subject(collection, "bob"), near(0.5, 2))
    shown = group(near(0.7, 1), PROBE)

    def told(**options: Any) -> list[tuple[str, Any]]:
        lease = search(world, collection, **options)
        store(lease, shown)
        faces = world.faces(lease.shard.job_id, "probe")
        return [
            (face.decision, [(m["subject"], m.get("taken_by")) for m in face.matches])
            for face in faces
        ]

    assert told() == [
        ("unknown", [("bob", None), ("ada", 1)]),
        ("match", [("ada", None), ("bob", None)]),
    ]
    both = ("match", [("ada", None), ("bob", None)])
    assert told(distinct_people=False) == [both, both]


def test_who_comes_after_all_that_are_taken_is_found(
    world: TenantWorld, collection: Collection
) -> None:
    for axis, similarity in ((1, 0.95), (2, 0.85), (3, 0.75), (4, 0.65)):
        make_face(collection, make_subject(collection, f"p{axis}"), near(similarity, axis))
    shown = group(near(0.95, 1), near(0.85, 2), near(0.75, 3), PROBE)

    lease = search(world, collection, top_k=1)
    store(lease, shown)

    faces = world.faces(lease.shard.job_id, "probe")
    assert [face.decision for face in faces] == ["match"] * 4
    named = [match["subject"] for face in faces for match in face.matches]
    assert named == ["p1", "p2", "p3", "p4"]


def test_a_result_says_which_threshold_was_applied_and_why(world: TenantWorld) -> None:
    wanted = NewCollection("asks for a rate", target_fpir=0.01)
    collection = create_collection(world.tenant_id, wanted, SYSTEM)
    for axis in range(1, 4):
        make_face(collection, make_subject(collection), near(axis / 10, axis))

    face = identified(world, collection)

    calibration = load_registry().model("SFace").calibration
    reason = face.threshold_reason
    assert reason["fmr"] == pytest.approx(1 - 0.99 ** (1 / 3))
    assert face.threshold == pytest.approx(calibration.threshold(reason["fmr"]))
    assert (reason["rule"], reason["target_fpir"], reason["faces"]) == ("target_fpir", 0.01, 3)
    assert reason["calibration"] == "shipped"


@pytest.mark.parametrize("fitted_for", [PARKED_MODEL, "SFace@another"])
def test_a_rate_is_measured_where_the_models_own_faces_were_counted(
    world: TenantWorld, collection: Collection, fitted_for: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = load_registry().model("SFace")
    known = replace(entry, calibration=replace(entry.calibration, model=fitted_for))
    monkeypatch.setattr("app.services.gallery.match_rule.model_entry", lambda _: known)
    for axis, similarity in ((1, 0.1), (2, 0.8)):
        make_face(collection, make_subject(collection), near(similarity, axis))

    face = identified(world, collection)

    rare, common = (match["fmr_basis"] for match in face.matches)
    counted = "measured" if fitted_for == PARKED_MODEL else "extrapolated"
    assert (rare, common) == ("extrapolated", counted)
    assert face.threshold_reason["fmr_basis"] == "extrapolated"


def verified(world: TenantWorld, collection: Collection, *outcomes: ItemOutcome) -> Any:
    """The items of a verify job; each claims to show the person "claimed"."""
    items = [
        ItemRequest(f"i{each.seq}", world.uri(f"{each.seq}.jpg"), subject="claimed")
        for each in outcomes
    ]
    job_id = world.submit(Operation.VERIFY, *items, collection_id=collection.id)
    store(begun(ShardRef(job_id, 0)), *outcomes)
    found = world.items(job_id)
    return [found[item.custom_id] for item in items]


def test_a_claim_is_compared_with_the_best_face_of_its_subject_only(
    world: TenantWorld, collection: Collection
) -> None:
    claimed = make_subject(collection, "claimed")
    for axis, similarity in ((1, 0.2), (2, 0.55), (3, 0.1)):
        make_face(collection, claimed, near(similarity, axis))
    make_face(collection, make_subject(collection), PROBE)

    right, wrong = verified(world, collection, showing(PROBE), showing(unit_vector(9), 1))

    assert (right.decision, right.similarity) == ("match", pytest.approx(0.55, abs=2e-3))
    assert (wrong.decision, wrong.similarity < 0.4) == ("no_match", True)
    assert right.fmr < wrong.fmr
    assert right.fmr_basis == wrong.fmr_basis == "extrapolated"


def test_the_same_vector_is_exactly_as_similar_as_can_be(
    world: TenantWorld, collection: Collection
) -> None:
    """Half precision makes the stored vector a little longer or shorter than 1."""
    flat = [1 / math.sqrt(128)] * 128
    make_face(collection, make_subject(collection, "claimed"), flat)

    (item,) = verified(world, collection, showing(flat))

    assert item.similarity == pytest.approx(1, abs=1e-6)
    assert item.similarity <= 1


def test_a_claimed_person_without_faces_is_no_match_without_a_similarity(
    world: TenantWorld, collection: Collection
) -> None:
    make_subject(collection, "claimed")

    (item,) = verified(world, collection, showing(PROBE))

    assert (item.decision, item.similarity, item.fmr) == ("no_match", None, None)
    assert item.fmr_basis is None


def _read(world: TenantWorld, collection_id: UUID) -> Collection:
    with tenant_transaction(world.tenant_id) as session:
        return session.get_one(Collection, collection_id)


@contextmanager
def _statements() -> Iterator[list[tuple[str, Any]]]:
    """The statements that reach the database, with their values."""
    sent: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        sent.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", keep)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", keep)
