from __future__ import annotations

import pytest

from app.domain.storage import ObjectLocation


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
