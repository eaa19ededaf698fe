"""When a task tries again, when it leaves a bucket alone, and which images that costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from app.domain.item_errors import (
    ImageNotFound,
    SourceAway,
    StorageUnavailable,
)
from app.domain.source_pause import SourcePause
from app.domain.storage import ObjectLocation
from workers.recognition import image_sources
from workers.recognition.image_sources import ImageSources

GOOD, OTHER = ObjectLocation("photos", "good.jpg"), ObjectLocation("photos", "other.jpg")
ELSEWHERE = ObjectLocation("elsewhere", "good.jpg")


@dataclass
class Store:
    """Delivers the key as the bytes, unless told that a question fails."""

    fails: Callable[[ObjectLocation], bool] = lambda _: False
    asked: Counter[ObjectLocation] = field(default_factory=Counter)

    def read(self, location: ObjectLocation) -> bytes:
        self.asked[location] += 1
        if self.fails(location):
            raise StorageUnavailable("not now", "SlowDown")
        return location.key.encode()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No pauses, and nothing known of earlier tasks."""
    for name in ("_PAUSES_S", "_FURTHER_PAUSES_S", "_PAUSES_OF_A_SUSPECT_S"):
        monkeypatch.setattr(image_sources, name, (0.0,) * len(getattr(image_sources, name)))
    monkeypatch.setattr(image_sources, "_delivered", {})
    return iter([None])


def paused(left_s: float) -> dict[str, SourcePause]:
    return {"photos": SourcePause("photos", left_s, 60, 3, "SlowDown")}


def test_a_failure_that_passes_costs_nothing() -> None:
    store = Store()
    store.fails = lambda location: store.asked[location] <= 4
    sources = ImageSources(store, {})

    assert sources.read(GOOD) == b"good.jpg"
    assert sources.absences() == []


def test_a_bucket_that_does_not_answer_is_left_alone_by_all() -> None:
    store = Store(lambda location: location.bucket == "photos")
    sources = ImageSources(store, {})
    places = [ObjectLocation("photos", f"{number}.jpg") for number in range(200)]

    with ThreadPoolExecutor(4) as pool:
        errors = list(pool.map(lambda place: _error(sources, place), places))

    assert {type(error) for error in errors} == {SourceAway}
    assert store.asked.total() <= 4 * 5
    assert [(found.bucket, found.reason) for found in sources.absences()] == [
        ("photos", "SlowDown")
    ]
    assert sources.absences() == []
    assert sources.read(ELSEWHERE) == b"good.jpg"


def test_an_object_that_never_comes_from_a_bucket_that_delivers_fails_alone() -> None:
    store = Store(lambda location: location == OTHER)
    sources = ImageSources(store, {})
    sources.read(GOOD)

    error = _error(sources, OTHER)

    assert (type(error), error.code) == (StorageUnavailable, "storage_unavailable")
    assert store.asked[OTHER] == 8
    assert sources.absences() == []
    assert sources.read(GOOD) == b"good.jpg"


def test_what_came_before_the_outage_does_not_count_for_the_bucket() -> None:
    store = Store()
    sources = ImageSources(store, {})
    sources.read(GOOD)
    store.fails = lambda _: True

    assert isinstance(_error(sources, OTHER), SourceAway)


def test_a_bucket_that_refuses_an_object_for_good_is_not_away() -> None:
    class Refusing(Store):
        def read(self, location: ObjectLocation) -> bytes:
            if location == OTHER:
                raise ImageNotFound("not there")
            return super().read(location)

    sources = ImageSources(Refusing(), paused(left_s=-1))

    with pytest.raises(ImageNotFound):
        sources.read(OTHER)
    assert sources.returns() == ["photos"]


def test_a_bucket_is_not_asked_while_its_pause_lasts() -> None:
    store = Store()
    sources = ImageSources(store, paused(left_s=5))

    error = _error(sources, GOOD)

    assert isinstance(error, SourceAway)
    assert error.bucket == "photos"
    assert store.asked.total() == 0
    assert sources.absences() == []  # nothing new


def test_a_bucket_that_was_away_has_to_answer_soon() -> None:
    store = Store(lambda _: True)
    sources = ImageSources(store, paused(left_s=-1))

    assert isinstance(_error(sources, GOOD), SourceAway)
    assert store.asked[GOOD] == 2
    assert [found.bucket for found in sources.absences()] == ["photos"]


def test_a_bucket_that_answers_again_is_told_of_once() -> None:
    sources = ImageSources(Store(), paused(left_s=-1))

    sources.read(GOOD)
    sources.read(OTHER)

    assert sources.returns() == ["photos"]
    assert sources.returns() == []


def _error(sources: ImageSources, place: ObjectLocation) -> StorageUnavailable:
    with pytest.raises(StorageUnavailable) as failed:
        sources.read(place)
    return failed.value
