"""A worker offers slots for children whose models are loaded and passed their self test."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask

from app.config import Settings
from workers import lifecycle
from workers.recognition import loaded_pipeline, readiness
from workers.vision.faces import recogniser as recognise


@pytest.fixture
def slots_offered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    offered: list[int] = []
    monkeypatch.setattr(lifecycle, "beat", lambda _instance, slots, _models: offered.append(slots))
    return offered


@pytest.fixture
def worker(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> lifecycle._Worker:
    app = Flask("worker")
    app.config["SETTINGS"] = Settings(
        facequeue_env="test",
        secret_key="a key for nothing",
        encryption_keys=(Fernet.generate_key().decode(),),
        database_url="postgresql://nowhere/none",
        database_queue_url="postgresql://nowhere/none",
        aws_storage_bucket_name="none",
        models_dir=models_dir,
    )
    monkeypatch.setattr(loaded_pipeline, "_loaded", [])
    readiness.reset()
    worker = lifecycle._Worker(app)
    worker._recognises = worker._up = True
    return worker


def test_a_worker_offers_nothing_while_no_child_is_ready(
    worker: lifecycle._Worker, slots_offered: list[int]
) -> None:
    worker.on_heartbeat()
    assert slots_offered == []


def test_a_child_counts_once_its_models_have_passed_their_test(
    worker: lifecycle._Worker, slots_offered: list[int]
) -> None:
    worker._warm()
    worker.on_heartbeat()
    assert slots_offered == [1]


def test_a_child_whose_models_compute_something_else_is_never_ready(
    worker: lifecycle._Worker, slots_offered: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = recognise.prepare
    monkeypatch.setattr(recognise, "prepare", lambda crops, spec: prepare(crops, spec)[:, ::-1])
    worker._warm()
    worker.on_heartbeat()
    assert slots_offered == []


def test_a_child_that_replaces_another_starts_without_models(
    worker: lifecycle._Worker, slots_offered: list[int]
) -> None:
    worker._warm()
    readiness.child_began()
    worker.on_heartbeat()
    assert slots_offered == []


def test_models_are_loaded_once(worker: lifecycle._Worker) -> None:
    with worker._app.app_context():
        assert loaded_pipeline.loaded_pipeline() is loaded_pipeline.loaded_pipeline()
