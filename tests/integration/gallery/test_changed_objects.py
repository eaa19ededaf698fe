"""An object shows another photograph than it did: `on_changed` says what becomes of the old."""

from __future__ import annotations

import pytest
from flask import Flask

from app.database.transactions import tenant_transaction
from tests.factories.enrolments import Enroller, Shown
from tests.factories.outbox import told
from tests.support.locks import beginning

pytestmark = pytest.mark.stack

BEFORE, AFTER, OTHER = 1, 2, 3
KEY, COPY = "ada/1.jpg", "ada/copy.jpg"


@pytest.fixture
def gallery(app: Flask) -> Enroller:
    del app
    return Enroller.create()


def reason(item: dict[str, list[dict[str, str]]]) -> str | None:
    (face,) = item["faces"]
    return face["reason"]


def test_by_default_the_new_photograph_is_added(gallery: Enroller) -> None:
    gallery.enrol_one("ada", BEFORE, KEY)

    item = gallery.enrol_one("ada", AFTER, KEY)

    assert (item["replaced"], gallery.face_count) == ([], 2)
    assert [gallery.who_is(photo) for photo in (BEFORE, AFTER)] == ["ada", "ada"]


def test_replaced_faces_are_erased_and_the_result_says_which(gallery: Enroller) -> None:
    gallery.enrol_one("ada", BEFORE, KEY)
    outdated = gallery.faces_of("ada")

    item = gallery.enrol_one("ada", AFTER, KEY, on_changed="replace")

    assert (item["replaced"], reason(item)) == (outdated, None)
    assert gallery.faces_of("ada") == [item["faces"][0]["face_id"]]
    assert [gallery.who_is(photo) for photo in (BEFORE, AFTER)] == [None, "ada"]
    assert gallery.face_count == 1
    assert gallery.events("job.faces_replaced") == [{"faces": outdated}]


@pytest.mark.usefixtures("follower")
def test_who_follows_the_vectors_is_told_of_a_replacement(gallery: Enroller) -> None:
    gallery.enrol_one("ada", BEFORE, KEY)
    gallery.enrol_one("ada", AFTER, KEY, on_changed="replace")

    assert [change for change, _ in told(gallery.world.tenant_id)] == ["added", "added", "removed"]


def test_only_the_same_person_s_faces_from_the_same_place_are_replaced(gallery: Enroller) -> None:
    gallery.enrol(Shown("ada", BEFORE, "ada/2.jpg"), Shown("bob", OTHER, KEY))

    item = gallery.enrol_one("ada", AFTER, KEY, on_changed="replace")

    assert (item["replaced"], gallery.face_count) == ([], 3)


def test_an_unchanged_object_replaces_nothing(gallery: Enroller) -> None:
    gallery.enrol_one("ada", BEFORE, KEY)

    item = gallery.enrol_one("ada", BEFORE, KEY, on_changed="replace")

    assert (item["replaced"], reason(item), gallery.face_count) == ([], "already_enrolled", 1)


def test_an_object_without_a_face_takes_none_away(gallery: Enroller) -> None:
    gallery.enrol_one("ada", BEFORE, KEY)

    item = gallery.enrol_one("ada", None, KEY, on_changed="replace")

    assert (item["error"]["code"], item["replaced"]) == ("no_face", [])
    assert gallery.who_is(BEFORE) == "ada"


def test_an_object_that_now_shows_somebody_else_s_photograph_takes_none_away(
    gallery: Enroller,
) -> None:
    gallery.enrol(Shown("ada", BEFORE, KEY), Shown("bob", AFTER))

    item = gallery.enrol_one("ada", AFTER, KEY, on_changed="replace")

    assert (item["replaced"], reason(item)) == ([], "enrolled_as_other")
    assert gallery.who_is(BEFORE) == "ada"


def test_a_photograph_that_is_moved_replaces_too(gallery: Enroller) -> None:
    gallery.enrol(Shown("ada", BEFORE, KEY), Shown("bob", AFTER))
    outdated = gallery.faces_of("ada")

    item = gallery.enrol_one("ada", AFTER, KEY, on_changed="replace", on_conflict="move")

    assert (item["replaced"], reason(item), gallery.face_count) == (outdated, "moved", 1)


def test_what_was_added_before_can_be_replaced_later(gallery: Enroller) -> None:
    gallery.enrol_one("ada", BEFORE, KEY)
    outdated = gallery.faces_of("ada")
    gallery.enrol_one("ada", AFTER, KEY)

    item = gallery.enrol_one("ada", AFTER, KEY, on_changed="replace")

    assert (item["replaced"], reason(item)) == (outdated, "already_enrolled")
    assert gallery.who_is(BEFORE) is None


def test_an_object_that_shows_its_first_photograph_again_is_enrolled_anew(
    gallery: Enroller,
) -> None:
    for photo in (BEFORE, AFTER, BEFORE):
        item = gallery.enrol_one("ada", photo, KEY, on_changed="replace")

    assert (reason(item), len(item["replaced"]), gallery.face_count) == (None, 1, 1)
    assert [gallery.who_is(photo) for photo in (BEFORE, AFTER)] == ["ada", None]


def test_faces_of_nobody_are_replaced_by_faces_of_nobody(gallery: Enroller) -> None:
    gallery.enrol(Shown(None, BEFORE, KEY), Shown(None, OTHER))
    gallery.enrol_one("ada", OTHER + 1, KEY)

    item = gallery.enrol_one(None, AFTER, KEY, on_changed="replace")

    assert (len(item["replaced"]), gallery.face_count) == (1, 3)


def test_two_photographs_of_one_place_in_a_batch_do_not_erase_each_other(
    gallery: Enroller,
) -> None:
    items = gallery.enrol(Shown("ada", BEFORE, KEY), Shown("ada", AFTER, KEY), on_changed="replace")

    assert [item["replaced"] for item in items] == [[], []]
    assert gallery.face_count == 2


def test_a_moved_photograph_belongs_to_the_place_from_which_it_was_moved_to_its_person(
    gallery: Enroller,
) -> None:
    gallery.enrol_one("bob", BEFORE, "bob/2.jpg")
    gallery.enrol_one("ada", BEFORE, "ada/2.jpg", on_conflict="move")
    moved = gallery.faces_of("ada")

    theirs = gallery.enrol_one("bob", OTHER, "bob/2.jpg", on_changed="replace")
    hers = gallery.enrol_one("ada", AFTER, "ada/2.jpg", on_changed="replace")

    assert (theirs["replaced"], hers["replaced"]) == ([], moved)


def test_a_face_that_another_object_still_shows_stays_and_becomes_that_one_s(
    gallery: Enroller,
) -> None:
    gallery.enrol(Shown("ada", BEFORE, KEY), Shown("ada", BEFORE, COPY))
    (shown,) = gallery.faces_of("ada")

    first = gallery.enrol_one("ada", AFTER, KEY, on_changed="replace")
    assert (first["replaced"], gallery.who_is(BEFORE), gallery.face_count) == ([], "ada", 2)

    again = gallery.enrol_one("ada", OTHER, KEY, on_changed="replace")
    assert (len(again["replaced"]), gallery.who_is(BEFORE), gallery.who_is(AFTER)) == (
        1,
        "ada",
        None,
    )
    copy = gallery.enrol_one("ada", AFTER, COPY, on_changed="replace")
    assert (copy["replaced"], gallery.who_is(BEFORE), gallery.face_count) == ([shown], None, 2)


def test_the_object_that_came_later_may_change_first(gallery: Enroller) -> None:
    gallery.enrol(Shown("ada", BEFORE, KEY), Shown("ada", BEFORE, COPY))

    copy = gallery.enrol_one("ada", AFTER, COPY, on_changed="replace")
    assert (copy["replaced"], gallery.who_is(BEFORE)) == ([], "ada")

    first = gallery.enrol_one("ada", OTHER, KEY, on_changed="replace")
    assert (len(first["replaced"]), gallery.who_is(BEFORE)) == (1, None)


@pytest.mark.parametrize("subject", ["ada", None])
def test_a_face_goes_when_all_objects_that_showed_it_have_changed_at_once(
    gallery: Enroller, subject: str | None
) -> None:
    gallery.enrol(Shown(subject, BEFORE, KEY), Shown(subject, BEFORE, COPY))

    changed = [Shown(subject, AFTER, KEY), Shown(subject, OTHER, COPY)]
    first, copy = gallery.enrol(*changed, on_changed="replace")

    assert (len(first["replaced"]), copy["replaced"], gallery.face_count) == (1, [], 2)


def test_a_nobody_s_face_that_another_object_still_shows_stays(gallery: Enroller) -> None:
    gallery.enrol(Shown(None, BEFORE, KEY), Shown(None, BEFORE, COPY))

    item = gallery.enrol_one(None, AFTER, KEY, on_changed="replace")

    assert (item["replaced"], gallery.face_count) == ([], 2)


@pytest.mark.parametrize("now", [None, OTHER], ids=["no face", "somebody else's photograph"])
def test_an_object_that_shows_it_no_longer_keeps_no_face(
    gallery: Enroller, now: int | None
) -> None:
    gallery.enrol(Shown("ada", BEFORE, KEY), Shown("ada", BEFORE, COPY), Shown("bob", OTHER))
    gallery.enrol_one("ada", now, COPY)

    item = gallery.enrol_one("ada", AFTER, KEY, on_changed="replace")

    assert (len(item["replaced"]), gallery.who_is(BEFORE)) == (1, None)


def test_an_object_that_shows_it_again_keeps_a_face(gallery: Enroller) -> None:
    gallery.enrol(Shown("ada", BEFORE, KEY), Shown("ada", BEFORE, COPY))
    gallery.enrol_one("ada", AFTER, COPY)
    gallery.enrol_one("ada", BEFORE, COPY)

    gallery.enrol_one("ada", OTHER, KEY, on_changed="replace")

    assert gallery.who_is(BEFORE) == "ada"


def test_an_object_of_somebody_else_keeps_no_face(gallery: Enroller) -> None:
    gallery.enrol(Shown("ada", BEFORE, KEY), Shown("bob", BEFORE, COPY))

    item = gallery.enrol_one("ada", AFTER, KEY, on_changed="replace")

    assert (len(item["replaced"]), gallery.who_is(BEFORE)) == (1, None)


def test_of_two_jobs_at_once_the_later_replaces_what_the_earlier_enrolled(
    app: Flask, gallery: Enroller
) -> None:
    earlier, later = Shown("ada", BEFORE, KEY), Shown("ada", AFTER, KEY)
    jobs = [gallery.submit(shown, on_changed="replace") for shown in (earlier, later)]

    with beginning(app) as begin:
        with tenant_transaction(gallery.world.tenant_id):
            gallery.work(jobs[0], earlier)
            second = begin(lambda: gallery.work(jobs[1], later))
        second.result(timeout=10)

    (first,), (last,) = map(gallery.read, jobs)
    assert (first["replaced"], len(last["replaced"]), gallery.face_count) == ([], 1, 1)
    assert [gallery.who_is(photo) for photo in (BEFORE, AFTER)] == [None, "ada"]


def test_the_longest_place_that_a_job_takes_is_remembered(gallery: Enroller) -> None:
    place = "é" * 1900
    gallery.enrol_one("ada", BEFORE, place)

    assert len(gallery.enrol_one("ada", AFTER, place, on_changed="replace")["replaced"]) == 1
