"""A folder of photographs, through the real pipeline."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from scripts.calibrating.command import calibrate
from scripts.calibrating.measure import from_folder
from scripts.calibrating.samples import AS_THEY_ARE, KINDS

PEOPLE = {
    "obama": ("obama.jpg", "obama2.jpg"),
    "biden": ("biden.jpg",),
    "hopper": ("grace_hopper.jpg",),
}


@pytest.fixture(scope="module")
def folder(portraits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("people")
    for person, names in PEOPLE.items():
        (made / person).mkdir()
        for name in names:
            shutil.copy(portraits / name, made / person)
    return made


def test_copies_made_worse_are_compared_with_other_photographs_as_they_are(
    folder: Path, models_dir: Path
) -> None:
    labelled = from_folder(folder, "SFace", models_dir, kinds=True)

    assert set(labelled.kinds) == {AS_THEY_ARE, *KINDS}
    assert labelled.faces[AS_THEY_ARE] == 4
    clean, turned = labelled.kinds[AS_THEY_ARE], labelled.kinds["turned 30°"]
    assert (clean.strangers.pairs, len(clean.mated)) == (5, 1)
    assert (turned.strangers.pairs, len(turned.mated)) == (10, 2)
    for compared in (clean, turned):
        assert compared.mated.min() > compared.strangers.similarity.max()


def test_three_people_are_too_few(folder: Path, models_dir: Path, tmp_path: Path) -> None:
    command = [str(folder), "--models-dir", str(models_dir), "--out", str(tmp_path / "out")]

    result = CliRunner().invoke(calibrate, command)

    assert result.exit_code == 3
    assert "3 pairs of different people are too few" in result.output
