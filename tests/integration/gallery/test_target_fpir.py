"""Strangers before a gallery of a thousand people: named as seldom as the collection asked for."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flask import Flask

from app.database.transactions import read_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.matching import ThresholdRule
from app.domain.states import Decision
from app.models.collection import Collection
from app.services.gallery.collections import NewCollection, create_collection
from app.services.gallery.match_rule import match_rule
from app.services.gallery.search import nearest_subjects
from app.services.gallery.vectors import add_faces
from scripts.calibrating.comparisons import Pictures, compare
from scripts.calibrating.document import Measured, document
from scripts.calibrating.fit import fit
from tests.factories.crowds import crowd
from tests.factories.galleries import new_face
from tests.factories.tenant_world import TenantWorld

pytestmark = pytest.mark.stack

PEOPLE, STRANGERS, CALIBRATED_BY = 1000, 2000, 1500


@pytest.fixture
def world(app: Flask) -> TenantWorld:
    del app
    return TenantWorld.create()


@pytest.fixture
def own_models(app: Flask, tmp_path: Path) -> Iterator[None]:
    """An installation whose calibrations are this test's own."""
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = settings.model_copy(update={"models_dir": tmp_path})
    yield
    app.config["SETTINGS"] = settings


def calibration_file(model: str, folder: Path) -> Path:
    """What scripts/calibrate.py makes of people who are neither enrolled nor strangers here."""
    numbers = np.arange(CALIBRATED_BY, dtype=np.int32)
    faces = Pictures(crowd(CALIBRATED_BY, 1), numbers, numbers)
    compared = compare(faces, faces, CALIBRATED_BY)
    kinds = {"drawn": compared}
    measured = Measured(model, "drawn faces", kinds, compared, fit(compared, rounds=10), [], {}, {})
    made = document(measured, dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    path = folder / "made.json"
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


def gallery(world: TenantWorld) -> Collection:
    """A thousand people, a face each; every face stands for itself, as a person would."""
    wanted = NewCollection("a thousand", target_fpir=0.01)
    collection = create_collection(world.tenant_id, wanted, SYSTEM)
    faces = [
        replace(new_face(collection, None), embedding=tuple(map(float, vector)))
        for vector in crowd(PEOPLE, 2)
    ]
    with tenant_transaction(world.tenant_id) as session:
        add_faces(session, world.tenant_id, faces)
        return session.get_one(Collection, collection.id)


@pytest.mark.usefixtures("own_models")
def test_one_stranger_in_a_hundred_is_named_when_the_collection_asks_for_that(
    app: Flask, world: TenantWorld, tmp_path: Path
) -> None:
    collection = gallery(world)
    file = calibration_file(collection.model, tmp_path)
    installed = app.test_cli_runner().invoke(args=["calibrations", "install", str(file)])
    assert installed.exit_code == 0, installed.output

    rule = match_rule(collection.model, collection)
    probes = [tuple(map(float, vector)) for vector in crowd(STRANGERS, 3)]
    with read_transaction(world.tenant_id) as session:
        nearest = nearest_subjects(session, collection, probes, 2).nearest
    named = sum(rule.decide(found) is not Decision.UNKNOWN for found in nearest)

    assert rule.reason.rule is ThresholdRule.TARGET_FPIR
    assert (rule.reason.faces, rule.reason.calibration != "shipped") == (PEOPLE, True)
    assert 0.005 < named / STRANGERS < 0.02
