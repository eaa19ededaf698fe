from __future__ import annotations

import pytest

from app.domain.identifiers import new_id
from app.domain.storage import ObjectLocation, ReadableStorage, is_object_uri, upload_location


def place(uri: str) -> ObjectLocation:
    return ObjectLocation.parse(uri)


def readable(*places: str) -> ReadableStorage:
    return ReadableStorage("uploads-here", new_id(), tuple(place(uri) for uri in places))


def covers(readable: ReadableStorage, uri: str) -> bool:
    return readable.refusal(uri) is None


def code(readable: ReadableStorage, uri: str) -> str | None:
    refusal = readable.refusal(uri)
    return refusal.code if refusal else None


def test_a_location_reads_back_as_it_was_written() -> None:
    assert str(place("s3://bucket/a/b.jpg")) == "s3://bucket/a/b.jpg"


@pytest.mark.parametrize("uri", ["", "bucket/key", "s3://", "s3://bucket", "http://bucket/key"])
def test_what_is_no_location_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket/key"):
        place(uri)


def test_a_whole_bucket_covers_its_keys() -> None:
    assert covers(readable("s3://b/"), "s3://b/any/key")


def test_a_prefix_ends_at_a_segment() -> None:
    for photos in (readable("s3://b/photos"), readable("s3://b/photos/")):
        assert covers(photos, "s3://b/photos/a.jpg")
        assert not covers(photos, "s3://b/photos-private/a.jpg")


def test_another_bucket_is_not_covered() -> None:
    assert not covers(readable("s3://b/photos"), "s3://other/photos/a.jpg")
    assert not covers(readable("s3://b/"), "s3://b-private/a.jpg")


@pytest.mark.parametrize("way_out", ["../x", "./x", "a/../../x", "a/..", "a\\..\\..\\x"])
def test_a_key_that_a_server_could_resolve_out_of_its_prefix_is_not_read(way_out: str) -> None:
    assert code(readable("s3://b/photos"), f"s3://b/photos/{way_out}") == "location_invalid"


@pytest.mark.parametrize("key", ["a/../b.jpg", "./b.jpg", "a/.", "a//../b.jpg", "a\\..\\b.jpg"])
def test_within_a_whole_bucket_dots_are_a_part_of_the_key(key: str) -> None:
    assert covers(readable("s3://b/photos", "s3://b/"), f"s3://b/{key}")


@pytest.mark.parametrize("key", ["../other/x", "a/../../other/x", "a//../../other/x", "..\\x"])
def test_no_key_leads_out_of_its_bucket(key: str) -> None:
    assert code(readable("s3://b/"), f"s3://b/{key}") == "location_invalid"


@pytest.mark.parametrize(
    "key", ["/a.jpg", "a//b.jpg", "a/", "//", "100%/%2e%2e/a.jpg", "a b/ü.jpg", "a\\b.jpg", "a..b"]
)
def test_a_key_is_opaque(key: str) -> None:
    assert covers(readable("s3://b/"), f"s3://b/{key}")
    assert covers(readable("s3://b/photos"), f"s3://b/photos/{key}")


@pytest.mark.parametrize("uri", ["", "a.jpg", "s3://b", "s3://b/", "s3://b/" + "x" * 2048])
def test_what_is_no_uri_of_an_object_is_not_read(uri: str) -> None:
    assert code(readable("s3://b/"), uri) == "location_invalid"


def test_dots_within_a_name_mean_nothing() -> None:
    assert covers(readable("s3://b/"), "s3://b/.hidden/a..b/...jpg")


@pytest.mark.parametrize("uri", ["s3://bucket/a", "s3://bucket//", "s3://b/a b/ü.jpg"])
def test_an_object_has_a_bucket_and_a_key(uri: str) -> None:
    assert is_object_uri(uri)


@pytest.mark.parametrize("uri", ["", "s3://", "s3:///a", "s3://bucket", "s3://bucket/", "bucket/a"])
def test_what_lacks_one_of_them_is_no_object(uri: str) -> None:
    assert not is_object_uri(uri)


def test_a_tenant_reads_its_own_uploads() -> None:
    mine = ReadableStorage("uploads-here", new_id())

    assert covers(mine, str(upload_location("uploads-here", mine.tenant_id, new_id())))


def test_the_whole_bucket_does_not_open_the_uploads_of_others() -> None:
    mine = ReadableStorage("shared", new_id(), (place("s3://shared/"),))

    assert covers(mine, "s3://shared/photos/a.jpg")
    assert not covers(mine, str(upload_location("shared", new_id(), new_id())))
    assert not covers(mine, "s3://shared/uploads/")


@pytest.mark.parametrize("start", ["/", "//", "\\", "a/../", "./"])
def test_no_spelling_of_a_key_opens_the_uploads_of_others(start: str) -> None:
    mine = ReadableStorage("shared", new_id(), (place("s3://shared/"),))

    assert not covers(mine, f"s3://shared/{start}uploads/{new_id()}/{new_id()}")
    assert not covers(mine, f"s3://shared/{start}uploads\\{new_id()}\\{new_id()}")


def test_an_uploads_folder_of_another_bucket_is_nothing_special() -> None:
    mine = ReadableStorage("shared", new_id(), (place("s3://photos/"),))

    assert covers(mine, "s3://photos/uploads/a.jpg")
