"""From the people of a collection to the rates that its results are judged by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import text

from app.database.transactions import owner_transaction, tenant_transaction
from app.models.collection import Collection
from app.services.gallery.match_rule import match_rule
from app.services.gallery.vectors import add_faces
from scripts.calibrating.command import calibrate
from tests.factories.crowds import crowd
from tests.factories.galleries import make_collection, make_subject, new_face
from tests.factories.tenant_world import TenantWorld

pytestmark = pytest.mark.stack

PEOPLE = 24


@pytest.fixture
def models_dir(app: Flask, tmp_path: Path) -> Iterator[Path]:
    """An installation whose calibrations are this test's own."""
    settings = app.config["SETTINGS"]
    folder = tmp_path / "models"
    app.config["SETTINGS"] = settings.model_copy(update={"models_dir": folder})
    yield folder
    app.config["SETTINGS"] = settings


@pytest.fixture
def collection(app: Flask) -> Collection:
    """People with two photographs each, and a face that is nobody's."""
    del app
    made = make_collection(TenantWorld.create().tenant_id)
    shown = crowd(2 * PEOPLE, 1)
    people = [make_subject(made) for _ in range(PEOPLE)]
    owners = [*(person for person in people for _ in range(2)), None]
    faces = [
        new_face(made, owner, embedding=tuple(map(float, vector)))
        for owner, vector in zip(owners, [*shown, shown[0]], strict=True)
    ]
    with tenant_transaction(made.tenant_id) as session:
        add_faces(session, made.tenant_id, faces)
        return session.get_one(Collection, made.id)


def flask(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=[str(argument) for argument in arguments])


def calibrated(collection: Collection, out: Path) -> Path:
    of = ["--collection", str(collection.id), "--tenant", str(collection.tenant_id)]
    done = CliRunner().invoke(calibrate, [*of, "--out", str(out), "--svg"])
    assert done.exit_code == 0, done.output
    return out / "calibration.json"


def test_a_collections_people_make_its_calibration_and_its_results_name_it(
    app: Flask, collection: Collection, models_dir: Path, tmp_path: Path
) -> None:
    del models_dir
    file = calibrated(collection, tmp_path / "out")
    content = json.loads(file.read_text(encoding="utf-8"))
    strangers = PEOPLE * (PEOPLE - 1) // 2
    assert (content["model"], content["impostor"]["people"]) == (collection.model, PEOPLE)
    assert content["impostor"]["pairs"] == 4 * strangers
    assert content["impostor"]["pairs_of_people"] == strangers
    assert (content["mated"]["people"], content["mated"]["pairs"]) == (PEOPLE, PEOPLE)

    assert flask(app, "calibrations", "install", file).exit_code == 0
    assert match_rule(collection.model, collection).reason.calibration == content["version"]
    listed = flask(app, "calibrations", "list").stdout
    assert f"{content['version']}\t{collection.model}\t{PEOPLE}" in listed

    compared = flask(app, "calibrations", "compare", collection.model, content["version"])
    assert compared.exit_code == 0
    assert compared.stdout.splitlines()[0].startswith(f"rate\tshipped\t{content['version']}")

    assert flask(app, "calibrations", "use", collection.model, "shipped").exit_code == 0
    assert match_rule(collection.model, collection).reason.calibration == "shipped"


def test_reading_embeddings_leaves_an_audit_event_and_no_vector(
    collection: Collection, tmp_path: Path
) -> None:
    file = calibrated(collection, tmp_path / "out")

    with owner_transaction() as session:
        (event,) = session.execute(
            text("SELECT detail FROM audit_events WHERE action = :action AND target_id = :id"),
            {"action": "collection.embeddings_read", "id": collection.id},
        ).scalars()
    assert event == {"faces": 2 * PEOPLE}
    assert "subject" not in file.read_text(encoding="utf-8")


def test_what_is_no_calibration_is_not_installed(
    app: Flask, models_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")

    refused = flask(app, "calibrations", "install", tmp_path / "other.json")

    assert refused.exit_code == 1
    assert "is no calibration file" in refused.stderr
    assert not (models_dir / "calibrations").exists()


@pytest.mark.parametrize("arguments", [("use", "SFace@x", "0123456789ab"), ("compare", "a", "b")])
def test_an_unknown_version_is_one_clear_line(
    app: Flask, models_dir: Path, arguments: tuple[str, ...]
) -> None:
    del models_dir
    refused = flask(app, "calibrations", *arguments)

    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
