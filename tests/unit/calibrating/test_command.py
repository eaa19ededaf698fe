from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from app.domain.calibration import read_calibration
from scripts.calibrating.command import calibrate
from tests.factories.crowds import crowd

MODEL = "SFace@0123456789ab"


def table(path: Path, people: int) -> Path:
    vectors = crowd(people, 1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["left", "right", "similarity"])
        for left, right in zip(*np.triu_indices(people, 1), strict=True):
            writer.writerow([f"p{left}", f"p{right}", float(vectors[left] @ vectors[right])])
        writer.writerows([[f"p{n}", f"p{n}", 0.7 + n / 1000] for n in range(20)])
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(calibrate, [str(argument) for argument in arguments])


def test_judged_comparisons_become_a_calibration_a_report_and_a_picture(tmp_path: Path) -> None:
    out = tmp_path / "out"

    result = run(table(tmp_path / "pairs.csv", 40), "--model", MODEL, "--out", out, "--svg")

    assert result.exit_code == 0, result.output
    text = (out / "calibration.json").read_text(encoding="utf-8")
    made, content = read_calibration(text), json.loads(text)
    assert (made.model, made.people, made.pairs) == (MODEL, 40, 780)
    assert made.measured_to == pytest.approx(10 / 780, rel=1e-2)
    assert (content["mated"]["people"], content["mated"]["pairs"]) == (20, 20)
    report = (out / "report.md").read_text(encoding="utf-8")
    assert made.version in report
    assert "| 0.01 |" in report
    assert "calibration.svg" in report
    assert (out / "calibration.svg").read_text(encoding="utf-8").count("<svg") == 1


def test_the_same_comparisons_make_the_same_fit(tmp_path: Path) -> None:
    pairs = table(tmp_path / "pairs.csv", 30)
    fits = []
    for name in ("one", "two"):
        assert run(pairs, "--model", MODEL, "--out", tmp_path / name).exit_code == 0
        fits.append(json.loads((tmp_path / name / "calibration.json").read_text())["impostor"])

    assert fits[0] == fits[1]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("left,right\na,b\n", "lacks the columns similarity"),
        ("left,right,similarity\na,b,1.5\n", "line 2: a similarity lies between"),
        ("left,right,similarity\na,b,0.1\na,b,\n", "line 3"),
        ("left,right,similarity,same\na,b,0.1,yes\n", "line 2: `same` is 1, 0 or empty"),
        ("left,right,similarity\n", "holds no comparison"),
    ],
)
def test_a_table_that_cannot_be_read_is_wrong_usage_and_names_the_line(
    tmp_path: Path, rows: str, said: str
) -> None:
    (tmp_path / "pairs.csv").write_text(rows, encoding="utf-8")

    result = run(tmp_path / "pairs.csv", "--model", MODEL, "--out", tmp_path / "out")

    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "out").exists()


def test_too_few_people_end_with_a_code_of_their_own(tmp_path: Path) -> None:
    result = run(table(tmp_path / "pairs.csv", 12), "--model", MODEL, "--out", tmp_path / "out")

    assert result.exit_code == 3
    assert "66 pairs of different people are too few" in result.output


def test_a_folder_without_people_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()

    result = run(tmp_path, "--out", tmp_path / "out")

    assert result.exit_code == 2
    assert "a sub-folder is a person" in result.output


@pytest.mark.parametrize(
    "arguments", [(), ("--collection", "01990000-0000-7000-8000-000000000001")]
)
def test_without_faces_the_usage_is_shown(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
