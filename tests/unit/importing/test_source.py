from __future__ import annotations

import pytest

from scripts.importing.failures import UsageFault
from scripts.importing.source import Source, find_source
from scripts.importing.storage import Bucket
from tests.factories.s3_listing import FakeS3


@pytest.mark.parametrize(
    ("address", "bucket", "prefix"),
    [
        ("s3://photos/staff/", "photos", "staff/"),
        ("s3://photos", "photos", ""),
        ("s3://photos/", "photos", ""),
        ("s3://photos/a?b#c", "photos", "a?b#c"),
        ("s3://photos//a//./b%20 +\t/", "photos", "/a//./b%20 +\t/"),
    ],
)
def test_an_address_is_a_bucket_and_a_prefix(address: str, bucket: str, prefix: str) -> None:
    assert Source.parse(address) == Source(bucket, prefix)


@pytest.mark.parametrize("address", ["photos/staff", "https://photos/staff", "s3:///staff", ""])
def test_another_kind_of_address_is_a_usage_fault(address: str) -> None:
    with pytest.raises(UsageFault, match="s3://bucket/prefix"):
        Source.parse(address)


def found(prefix: str, *keys: str) -> tuple[Source, tuple[str, ...]]:
    place = find_source(Bucket("photos", FakeS3(*keys)), Source("photos", prefix))
    return place.source, place.neighbours


STAFF = ("staff-former/bob/1.jpg", "staff/ada/1.jpg", "staff2019/carl/1.jpg")


def test_a_prefix_without_a_slash_is_the_folder_and_nothing_that_begins_like_it() -> None:
    assert found("staff", *STAFF) == (Source("photos", "staff/"), ("staff-former/", "staff2019/"))


def test_the_neighbours_of_a_folder_are_told_of() -> None:
    note = find_source(Bucket("photos", FakeS3(*STAFF)), Source("photos", "staff")).note()

    assert note is not None
    assert "Only s3://photos/staff/ is taken; staff-former/, staff2019/" in note
    assert "--prefix-as-is" in note


def test_a_prefix_that_is_a_whole_key_is_that_object() -> None:
    place = Source("photos", "staff/1.jpg", is_object=True)

    assert found("staff/1.jpg", "staff/1.jpg", "staff/1.jpg.bak") == (place, ("staff/1.jpg.bak",))


def test_a_folder_goes_before_an_object_of_its_name() -> None:
    assert found("staff", "staff", "staff/1.jpg") == (Source("photos", "staff/"), ("staff",))


@pytest.mark.parametrize("prefix", ["", "staff/", "staff//"])
def test_a_prefix_with_a_slash_at_its_end_is_taken_as_it_is(prefix: str) -> None:
    assert found(prefix) == (Source("photos", prefix), ())


def test_a_prefix_that_is_neither_names_what_begins_like_it() -> None:
    with pytest.raises(UsageFault, match="no folder and no object s3://photos/sta, but staff-form"):
        found("sta", *STAFF)


def test_a_prefix_of_nothing_is_a_usage_fault() -> None:
    with pytest.raises(UsageFault, match=r"no folder and no object s3://photos/nobody$"):
        found("nobody", *STAFF)
