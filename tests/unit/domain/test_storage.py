from __future__ import annotations

import pytest

from app.domain.identifiers import new_id
from app.domain.storage import ObjectLocation, ReadableStorage, upload_location


def place(uri: str) -> ObjectLocation:
    return ObjectLocation.parse(uri)


def test_a_location_reads_back_as_it_was_written() -> None:
    assert str(place("s3://bucket/a/b.jpg")) == "s3://bucket/a/b.jpg"


@pytest.mark.parametrize("uri", ["", "bucket/key", "s3://", "s3://bucket", "http://bucket/key"])
def test_what_is_no_location_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket/key"):
        place(uri)


def test_a_whole_bucket_covers_its_keys() -> None:
    assert place("s3://b/any/key").within([place("s3://b/")])


def test_a_prefix_ends_at_a_segment() -> None:
    allowed = [place("s3://b/photos")]

    assert place("s3://b/photos/a.jpg").within(allowed)
    assert not place("s3://b/photos-private/a.jpg").within(allowed)


def test_another_bucket_is_not_covered() -> None:
    assert not place("s3://other/photos/a.jpg").within([place("s3://b/photos")])


def test_a_tenant_reads_its_own_uploads() -> None:
    mine = ReadableStorage("uploads-here", new_id())

    assert mine.covers(upload_location("uploads-here", mine.tenant_id, new_id()))


def test_the_whole_bucket_does_not_open_the_uploads_of_others() -> None:
    mine = ReadableStorage("shared", new_id(), (place("s3://shared/"),))

    assert mine.covers(place("s3://shared/photos/a.jpg"))
    assert not mine.covers(upload_location("shared", new_id(), new_id()))
    assert not mine.covers(place("s3://shared/uploads/"))


def test_an_uploads_folder_of_another_bucket_is_nothing_special() -> None:
    mine = ReadableStorage("shared", new_id(), (place("s3://photos/"),))

    assert mine.covers(place("s3://photos/uploads/a.jpg"))
