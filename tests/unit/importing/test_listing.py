from __future__ import annotations

from collections import Counter

import pytest

from scripts.importing.listing import Choice, Listing, suffix_of, told
from scripts.importing.storage import S3Object
from tests.factories.listings import listed


def sorted_out(*keys: str, choice: Choice = Choice(), size: int = 9) -> Listing:  # noqa: B008 - frozen
    return choice.sort(listed(*keys, size=size))


def keys(listing: Listing) -> list[str]:
    return [image.key for image in listing.images]


def test_what_ends_like_an_image_is_submitted() -> None:
    names = ["a.jpg", "b.PNG", "c.webp", "d.jpeg", "e.HEIC", "f.avif", "g.tif", "h.bmp", "i.gif"]

    assert keys(sorted_out(*names)) == names


def test_images_of_other_formats_or_without_a_suffix_are_counted_as_images() -> None:
    listing = sorted_out("a.nef", "b.NEF", "c.jxl", "d/IMG_0005", "trailing.jpg/")

    assert listing.images_passed_over == {".nef": 2, ".jxl": 1, "without a suffix": 2}
    assert listing.others == {}


def test_other_files_are_counted_apart() -> None:
    listing = sorted_out("notes.txt", "a/.DS_Store", "Thumbs.db")

    assert listing.images_passed_over == {}
    assert listing.others == {".txt": 1, ".ds_store": 1, ".db": 1}


def test_folder_markers_and_empty_objects_are_counted_apart() -> None:
    listing = sorted_out("staff/", "_SUCCESS", "notes.txt", size=0)

    assert listing.others == {"folder marker": 1, "empty": 2}


def test_an_empty_image_is_counted_as_an_image() -> None:
    assert sorted_out("a.jpg", size=0).images_passed_over == {"empty .jpg": 1}


def test_everything_is_all_that_holds_something() -> None:
    objects = [*listed("a.heic", "b", "c.txt", "d//./ %+.bin"), S3Object("folder/", 0)]

    assert keys(Choice(everything=True).sort(objects)) == ["a.heic", "b", "c.txt", "d//./ %+.bin"]


def test_what_chosen_suffixes_leave_out_is_left_out_on_purpose() -> None:
    listing = sorted_out("a.heic", "b.jpg", "c.tif", choice=Choice((".HEIC",)))

    assert keys(listing) == ["a.heic"]
    assert listing.images_passed_over == {}
    assert listing.others == {".jpg": 1, ".tif": 1}


@pytest.mark.parametrize(
    ("key", "suffix"),
    [
        ("a/b.JPG", ".jpg"),
        ("a.b/c", "without a suffix"),
        ("Dr. Smith", "without a suffix"),
        ("a.jpg ", "without a suffix"),
        ("", "without a suffix"),
    ],
)
def test_a_suffix_is_what_a_reader_would_name(key: str, suffix: str) -> None:
    assert suffix_of(key) == suffix


def test_the_commonest_kinds_are_told_and_the_others_counted() -> None:
    kinds = Counter({".heic": 9, "empty": 8, **{f".{letter}": 1 for letter in "abcde"}})

    assert told(kinds) == "9 .heic, 8 empty, 1 .a, 1 .b, 1 .c, 2 of other kinds"
