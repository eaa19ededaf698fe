"""A photograph that is enrolled again under another name: the result says whose it is, or was."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.domain.actor import SYSTEM
from app.services.gallery.subjects import delete_subject
from tests.factories.enrolments import Enroller, Shown
from tests.factories.outbox import told
from tests.factories.scrubbing import scrubbed

pytestmark = pytest.mark.stack

PHOTO, OTHER = 1, 2
NOBODY = {"subject": None, "subject_id": None}


@pytest.fixture
def gallery(app: Flask) -> Enroller:
    del app
    return Enroller.create()


def face_of(item: dict[str, Any]) -> dict[str, Any]:
    """The one face of an item that went well."""
    assert (item["state"], item["error"]) == ("succeeded", None)
    (face,) = item["faces"]
    return {
        name: face[name]
        for name in ("face_id", "subject", "subject_id", "enrolled", "reason", "moved_from")
        if name in face
    }


def test_the_photograph_of_somebody_else_stays_theirs_and_the_result_says_whose(
    gallery: Enroller,
) -> None:
    bobs = face_of(gallery.enrol_one("bob", PHOTO))

    again = face_of(gallery.enrol_one("ada", PHOTO))

    assert again == bobs | {"enrolled": False, "reason": "enrolled_as_other"}
    assert (bobs["subject"], bobs["subject_id"]) == ("bob", str(gallery.subject("bob")))
    assert (gallery.who_is(PHOTO), gallery.faces_of("ada"), gallery.face_count) == ("bob", [], 1)


def test_the_same_person_s_photograph_is_already_enrolled_whatever_the_option(
    gallery: Enroller,
) -> None:
    first = face_of(gallery.enrol_one("ada", PHOTO))

    for on_conflict in ("keep", "move"):
        again = face_of(gallery.enrol_one("ada", PHOTO, on_conflict=on_conflict))
        assert again == first | {"enrolled": False, "reason": "already_enrolled"}
    assert gallery.face_count == 1


def test_a_moved_photograph_is_the_new_person_s_and_the_result_says_whose_it_was(
    gallery: Enroller,
) -> None:
    bobs = face_of(gallery.enrol_one("bob", PHOTO))
    bob = str(gallery.subject("bob"))

    moved = face_of(gallery.enrol_one("ada", PHOTO, on_conflict="move"))

    assert moved == {
        "face_id": bobs["face_id"],
        "subject": "ada",
        "subject_id": str(gallery.subject("ada")),
        "enrolled": True,
        "reason": "moved",
        "moved_from": {"subject": "bob", "subject_id": bob, "left_without_faces": True},
    }
    assert (gallery.who_is(PHOTO), gallery.face_count) == ("ada", 1)
    assert (gallery.faces_of("ada"), gallery.faces_of("bob")) == ([bobs["face_id"]], [])


def test_whoever_has_another_face_is_not_left_without(gallery: Enroller) -> None:
    gallery.enrol(Shown("bob", PHOTO), Shown("bob", OTHER))

    moved = face_of(gallery.enrol_one("ada", PHOTO, on_conflict="move"))

    assert moved["moved_from"]["left_without_faces"] is False
    assert (gallery.who_is(OTHER), gallery.who_is(PHOTO)) == ("bob", "ada")


@pytest.mark.usefixtures("follower")
def test_who_follows_the_vectors_is_told_of_a_move(gallery: Enroller) -> None:
    gallery.enrol(Shown("bob", PHOTO), Shown("bob", OTHER))
    gallery.enrol_one("ada", PHOTO, on_conflict="move")

    (moved,) = gallery.faces_of("ada")
    changes = [change for change, face_id in told(gallery.world.tenant_id) if str(face_id) == moved]
    assert changes == ["added", "removed", "added"]
    assert len(told(gallery.world.tenant_id)) == 4


def test_what_a_batch_moves_is_an_event_of_its_job(gallery: Enroller) -> None:
    gallery.enrol(Shown("bob", PHOTO), Shown("bob", OTHER))
    faces = gallery.faces_of("bob")

    gallery.enrol(Shown("ada", PHOTO), Shown("ada", OTHER), on_conflict="move")

    bob, ada = str(gallery.subject("bob")), str(gallery.subject("ada"))
    moves = [{"face_id": face_id, "from": bob, "to": ada} for face_id in faces]
    (event,) = gallery.events("job.faces_moved")
    assert sorted(event["faces"], key=lambda move: move["face_id"]) == moves


def test_nobody_s_photograph_is_not_said_to_be_the_new_person_s(gallery: Enroller) -> None:
    nobodys = face_of(gallery.enrol_one(None, PHOTO))

    kept = face_of(gallery.enrol_one("ada", PHOTO))
    assert kept == nobodys | {"enrolled": False, "reason": "enrolled_as_other"} | NOBODY

    moved = face_of(gallery.enrol_one("ada", PHOTO, on_conflict="move"))
    assert (moved["face_id"], moved["subject"]) == (nobodys["face_id"], "ada")
    assert moved["moved_from"] == NOBODY | {"left_without_faces": False}
    assert gallery.who_is(PHOTO) == "ada"


def test_an_enrolment_that_names_nobody_takes_nobody_s_face_away(gallery: Enroller) -> None:
    gallery.enrol_one("bob", PHOTO)

    again = face_of(gallery.enrol_one(None, PHOTO, on_conflict="move"))

    assert (again["reason"], again["subject"], gallery.who_is(PHOTO)) == (
        "already_enrolled",
        "bob",
        "bob",
    )


def test_one_photograph_under_two_names_of_a_job_is_the_first_s_and_the_second_is_told(
    gallery: Enroller,
) -> None:
    first, second = gallery.enrol(Shown("bob", PHOTO), Shown("ada", PHOTO))

    assert face_of(first)["reason"] is None
    assert (face_of(second)["reason"], face_of(second)["subject"]) == ("enrolled_as_other", "bob")
    assert (gallery.who_is(PHOTO), gallery.face_count) == ("bob", 1)


def test_one_photograph_that_a_job_moves_twice_is_the_last_one_s(gallery: Enroller) -> None:
    gallery.enrol_one("cy", PHOTO)

    first, second = gallery.enrol(Shown("bob", PHOTO), Shown("ada", PHOTO), on_conflict="move")

    assert (face_of(first)["moved_from"]["subject"], face_of(first)["subject"]) == ("cy", "bob")
    assert (face_of(second)["moved_from"]["subject"], face_of(second)["subject"]) == ("bob", "ada")
    assert (gallery.who_is(PHOTO), gallery.face_count) == ("ada", 1)


def test_a_photograph_whose_person_was_erased_meanwhile_is_enrolled_anew(
    gallery: Enroller,
) -> None:
    gallery.enrol_one("bob", PHOTO)
    job_id = gallery.submit(Shown("ada", PHOTO))
    delete_subject(gallery.world.tenant_id, gallery.collection, "bob", SYSTEM)
    gallery.work(job_id, Shown("ada", PHOTO))

    face = face_of(gallery.read(job_id)[0])
    assert (face["enrolled"], face["reason"], face["subject"]) == (True, None, "ada")
    assert (gallery.who_is(PHOTO), gallery.face_count) == ("ada", 1)


@pytest.mark.usefixtures("empty_database")
def test_a_result_forgets_from_whom_a_photograph_was_moved_when_they_are_erased(app: Flask) -> None:
    del app
    gallery = Enroller.create()
    gallery.enrol_one("bob", PHOTO)
    job_id = gallery.submit(Shown("ada", PHOTO), on_conflict="move")
    gallery.work(job_id, Shown("ada", PHOTO))
    delete_subject(gallery.world.tenant_id, gallery.collection, "bob", SYSTEM)

    face = face_of(gallery.read(job_id)[0])
    assert face["moved_from"] == NOBODY | {"left_without_faces": False}
    assert face["subject"] == "ada"
    scrubbed(gallery.world)
    ((stored,),) = gallery.world.query(
        "SELECT moved_from FROM detections WHERE job_id = :id", id=job_id
    )
    assert stored is None
