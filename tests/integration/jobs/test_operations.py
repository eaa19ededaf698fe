"""A job of each operation through the real stack: S3, broker, worker, weights, Postgres."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest
from app.domain.model_registry import PREPROCESSING_VERSION
from app.domain.states import JobState, Operation
from app.services.upkeep.roll_up_usage import roll_up_usage
from tests.factories.tenant_world import TenantWorld
from tests.factories.usage import inference_ms, rolled_up
from tests.support.processes import Processes

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("workers")]


@pytest.fixture
def photos(world: TenantWorld, portraits: Path) -> dict[str, str]:
    """Portraits of two men and two women, as URIs."""
    names = ("obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png", "grace_hopper.jpg")
    return {Path(name).stem: world.put(name, (portraits / name).read_bytes()) for name in names}


def test_detect_finds_the_face_in_displayed_coordinates(
    world: TenantWorld, photos: dict[str, str]
) -> None:
    job = world.run(Operation.DETECT, ItemRequest("a", photos["obama"]))

    (face,) = world.faces(job.id, "a")
    item = world.items(job.id)["a"]
    x, y, width, height = face.box
    assert job.state == JobState.SUCCEEDED
    assert 0 <= x < x + width <= item.width
    assert 0 <= y < y + height <= item.height
    assert face.detection_confidence > 0.8
    assert 0 < face.quality <= 1
    assert face.embedding is None


def test_identify_names_the_enrolled_person_and_leaves_a_stranger_unknown(
    world: TenantWorld, photos: dict[str, str]
) -> None:
    collection = world.collection()
    world.run(
        Operation.ENROL,
        ItemRequest("o", photos["obama"], subject="obama"),
        ItemRequest("b", photos["biden"], subject="biden"),
        collection_id=collection,
    )

    job = world.run(
        Operation.IDENTIFY,
        ItemRequest("known", photos["obama2"]),
        ItemRequest("stranger", photos["grace_hopper"]),
        collection_id=collection,
    )

    (known,), (stranger,) = world.faces(job.id, "known"), world.faces(job.id, "stranger")
    assert known.decision == "match"
    assert known.matches is not None
    assert known.matches[0]["subject"] == "obama"
    assert known.matches[0]["similarity"] > 0.6
    assert known.matches[0]["fmr"] < 1e-4
    assert stranger.decision == "unknown"
    assert stranger.matches is not None
    assert all(match["similarity"] < 0.363 for match in stranger.matches)


def test_a_result_says_by_which_rule_it_was_made(
    world: TenantWorld, photos: dict[str, str]
) -> None:
    collection = world.collection(threshold=0.5)
    world.run(
        Operation.ENROL, ItemRequest("o", photos["obama"], subject="o"), collection_id=collection
    )

    job = world.run(
        Operation.IDENTIFY, ItemRequest("p", photos["obama2"]), collection_id=collection
    )

    (face,) = world.faces(job.id, "p")
    item = world.items(job.id)["p"]
    assert (face.threshold, face.search_index, face.search_faces) == (0.5, "exact", 1)
    assert face.search_recall == 1
    assert job.model.startswith("SFace@")
    assert str(item.engine).endswith(("fp32", "bf16"))
    assert item.pipeline == str(PREPROCESSING_VERSION)


def test_enrolling_the_same_photograph_again_changes_nothing_and_says_so(
    world: TenantWorld, photos: dict[str, str]
) -> None:
    collection = world.collection()
    item = ItemRequest("o", photos["obama"], subject="obama")
    first = world.run(Operation.ENROL, item, collection_id=collection)
    second = world.run(Operation.ENROL, item, collection_id=collection)

    (new,), (again,) = world.faces(first.id, "o"), world.faces(second.id, "o")
    assert (new.enrolled, new.reason) == (True, None)
    assert (again.enrolled, again.reason) == (False, "already_enrolled")
    assert again.face_id == new.face_id
    (row,) = world.query("SELECT face_count FROM collections WHERE id = :id", id=collection)
    assert row.face_count == 1


def test_verify_against_a_reference_image(world: TenantWorld, photos: dict[str, str]) -> None:
    job = world.run(
        Operation.VERIFY,
        ItemRequest("same", photos["obama"], reference=photos["obama2"]),
        ItemRequest("other", photos["obama"], reference=photos["biden"]),
    )

    items = world.items(job.id)
    assert items["same"].decision == "match"
    assert items["other"].decision == "no_match"
    assert items["same"].similarity > 0.6
    assert items["other"].similarity < 0.363
    assert items["same"].fmr < items["other"].fmr


def test_what_a_worker_did_is_counted_as_usage(world: TenantWorld, photos: dict[str, str]) -> None:
    world.run(
        Operation.VERIFY,
        ItemRequest("same", photos["obama"], reference=photos["obama2"]),
        ItemRequest("missing", world.uri("missing.jpg"), reference=photos["biden"]),
    )

    roll_up_usage()

    assert rolled_up(world.tenant_id) == {
        ("verify", "succeeded"): (1, 1, 0),
        ("verify", "failed"): (1, 0, 0),
    }
    assert inference_ms(world.tenant_id)["succeeded"] > 0


def test_verify_against_a_claimed_subject(world: TenantWorld, photos: dict[str, str]) -> None:
    collection = world.collection()
    world.run(
        Operation.ENROL,
        ItemRequest("c", photos["astronaut"], subject="collins"),
        collection_id=collection,
    )

    job = world.run(
        Operation.VERIFY,
        ItemRequest("true", photos["astronaut"], subject="collins"),
        ItemRequest("false", photos["obama"], subject="collins"),
        collection_id=collection,
    )

    items = world.items(job.id)
    assert items["true"].decision == "match"
    assert items["true"].similarity > 0.99
    assert items["false"].decision == "no_match"


def test_one_bad_item_never_fails_its_neighbours(
    world: TenantWorld, photos: dict[str, str]
) -> None:
    text_file = world.put("notes.txt", b"these are no pixels")
    cut_off = world.put("cut.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 100)

    job = world.run(
        Operation.DETECT,
        ItemRequest("text", text_file),
        ItemRequest("good", photos["obama"]),
        ItemRequest("missing", world.uri("nowhere.jpg")),
        ItemRequest("cut", cut_off),
        ItemRequest("also good", photos["biden"]),
    )

    errors = {custom_id: item.error_code for custom_id, item in world.items(job.id).items()}
    assert errors == {
        "text": "not_an_image",
        "good": None,
        "missing": "image_not_found",
        "cut": "image_corrupt",
        "also good": None,
    }
    assert job.state == JobState.SUCCEEDED
    assert (job.succeeded_items, job.failed_items, job.open_items) == (2, 3, 0)


def test_several_faces_where_one_is_wanted_is_an_item_error(
    world: TenantWorld, portraits: Path
) -> None:
    group = world.put("two.png", side_by_side(portraits / "obama.jpg", portraits / "biden.jpg"))
    collection = world.collection()

    job = world.run(
        Operation.ENROL, ItemRequest("two", group, subject="x"), collection_id=collection
    )
    largest = world.run(
        Operation.ENROL,
        ItemRequest("two", group, subject="x"),
        collection_id=collection,
        options=JobOptions(enrol_faces="largest"),
    )

    assert world.items(job.id)["two"].error_code == "multiple_faces"
    assert [face.enrolled for face in world.faces(largest.id, "two")] == [True]


def test_an_image_without_a_face_cannot_be_enrolled(world: TenantWorld) -> None:
    blank = world.put("blank.png", blank_image())

    job = world.run(
        Operation.ENROL,
        ItemRequest("blank", blank, subject="nobody"),
        collection_id=world.collection(),
    )

    assert world.items(job.id)["blank"].error_code == "no_face"


def test_a_subject_deleted_meanwhile_fails_its_item_alone(
    world: TenantWorld, photos: dict[str, str], workers: Processes
) -> None:
    collection = world.collection()
    workers.stop("recognition")
    job_id = world.submit(
        Operation.ENROL,
        ItemRequest("gone", photos["obama"], subject="gone"),
        ItemRequest("stays", photos["biden"], subject="stays"),
        collection_id=collection,
    )
    world.query("DELETE FROM subjects WHERE external_id = 'gone' RETURNING id")
    workers.start("recognition")

    world.finished(job_id)

    items = world.items(job_id)
    assert items["gone"].error_code == "subject_deleted"
    assert items["stays"].error_code is None


def test_a_job_whose_collection_is_gone_fails_as_a_whole(
    world: TenantWorld, photos: dict[str, str], workers: Processes
) -> None:
    collection = world.collection()
    workers.stop("recognition")
    job_id = world.submit(
        Operation.IDENTIFY, ItemRequest("a", photos["obama"]), collection_id=collection
    )
    world.query("DELETE FROM collections RETURNING id")
    workers.start("recognition")

    job = world.finished(job_id)

    assert (job.state, job.failure_code) == (JobState.FAILED, "collection_deleted")
    assert (job.open_items, job.canceled_items) == (0, 1)


def side_by_side(*files: Path) -> bytes:
    import cv2
    import numpy as np

    pictures = [cv2.imread(str(file)) for file in files]
    tiles = [cv2.resize(picture, (600, 800)) for picture in pictures if picture is not None]
    return cv2.imencode(".png", np.hstack(tiles))[1].tobytes()


def blank_image() -> bytes:
    import cv2
    import numpy as np

    return cv2.imencode(".png", np.full((400, 400, 3), 127, np.uint8))[1].tobytes()
