"""How the margins bench reads labelled folders."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from scripts.bench.margins_pictures import labelled


def test_sub_folders_are_people(tmp_path: Path) -> None:
    for name in ("ann/x.jpg", "ann/y.png", "bob/x.jpg", "bob/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [(person, path.name) for person, path in labelled(tmp_path)] == [
        ("ann", "x.jpg"),
        ("ann", "y.png"),
        ("bob", "x.jpg"),
    ]


def test_numbered_files_of_one_name_are_one_person(tmp_path: Path) -> None:
    for name in ("ann_lee_1.jpg", "ann_lee_0002.jpg", "ann_ray_1.jpg", "bob.jpg"):
        (tmp_path / name).touch()
    assert [person for person, _ in labelled(tmp_path)] == ["ann_lee", "ann_lee", "ann_ray", "bob"]


def test_a_folder_in_which_nobody_appears_twice_is_refused(tmp_path: Path) -> None:
    for name in ("ann.jpg", "bob.jpg"):
        (tmp_path / name).touch()
    with pytest.raises(click.ClickException, match="2 images of 2 people"):
        labelled(tmp_path)
