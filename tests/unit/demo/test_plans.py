from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.demo.own_folder import folder_plan
from scripts.demo.samples import STRANGER, sample_plan
from scripts.stack.failures import StackError


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"picture")
    return folder


def test_each_sub_folder_is_a_person_half_enrolled_and_half_identified(tmp_path: Path) -> None:
    plan = folder_plan(fill(tmp_path, "Ada/1.jpg", "Ada/2.PNG", "Ada/3.webp", "Bob/1.jpeg"))

    assert [(p.name, p.person) for p in plan.enrol] == [
        ("Ada/1.jpg", "Ada"),
        ("Ada/3.webp", "Ada"),
        ("Bob/1.jpeg", "Bob"),
    ]
    assert [(p.name, p.person) for p in plan.identify] == [("Ada/2.PNG", "Ada")]


def test_loose_images_are_identified_and_nobody_is_expected(tmp_path: Path) -> None:
    plan = folder_plan(fill(tmp_path, "Ada/1.jpg", "loose.jpg", "notes.txt"))

    assert [(p.name, p.person) for p in plan.identify] == [("loose.jpg", None)]


@pytest.mark.parametrize(
    ("names", "complaint"),
    [(("loose.jpg",), "no sub-folder with images"), (("Ada/1.jpg",), "nothing to identify")],
)
def test_a_folder_that_shows_nothing_is_refused(
    tmp_path: Path, names: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(StackError, match=complaint):
        folder_plan(fill(tmp_path, *names))


def test_hidden_files_and_folders_are_nobody_and_nothing(tmp_path: Path) -> None:
    hidden = (".trash/1.jpg", "Ada/.thumbnails/1.jpg", "Ada/._1.jpg", "._loose.jpg")
    plan = folder_plan(fill(tmp_path, *hidden, "Ada/1.jpg", "Ada/2.jpg"))

    assert [p.name for p in (*plan.enrol, *plan.identify)] == ["Ada/1.jpg", "Ada/2.jpg"]


def test_names_that_are_too_long_or_no_text_still_make_different_ids(tmp_path: Path) -> None:
    long, odd = "x" * 250, os.fsdecode(b"\xff\xfe")
    plan = folder_plan(fill(tmp_path, f"{long}/{long}.jpg", f"{odd}/1.jpg", f"{odd}/2.jpg"))

    names = [p.name for p in (*plan.enrol, *plan.identify)]
    assert len(set(names)) == 3
    for text in (*names, *plan.enrolled_people):
        assert len(text.encode()) <= 200


def test_the_samples_keep_one_person_as_the_stranger() -> None:
    plan = sample_plan(Path())

    assert STRANGER not in plan.enrolled_people
    assert {p.person for p in plan.identify} == {*plan.enrolled_people, STRANGER}


def test_no_photograph_is_both_enrolled_and_identified() -> None:
    plan = sample_plan(Path())

    assert not {p.name for p in plan.enrol} & {p.name for p in plan.identify}
