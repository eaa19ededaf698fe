"""The worker's whole path costs little more than its bare stages.

Processor time is compared, not the clock, in turn on the same pictures, and the cheapest of several
rounds counts for either: what else the machine does makes a round dearer, hardly ever cheaper.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest
from app.domain.states import Operation
from scripts.bench.pictures import Picture, mixed_pictures
from scripts.bench.recognising.bare import Bare
from scripts.bench.recognising.whole import WholePath
from tests.factories.tenant_world import TenantWorld
from workers.vision.images import load_images
from workers.vision.load_model import LoadedModel, load_model
from workers.vision.pipeline import RecognitionPipeline, VisionSettings

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("perf")]

_LOWEST_RATIO = 0.75
_PICTURES = 16
_ROUNDS = 4

Spend = Callable[[], float]


@pytest.fixture(scope="module")
def pictures(portraits: Path) -> list[Picture]:
    return list(mixed_pictures(portraits, _PICTURES, largest=500_000))


@pytest.fixture(scope="module")
def model(models_dir: Path) -> LoadedModel:
    return load_model(VisionSettings(models_dir=models_dir))


@pytest.fixture
def bare(model: LoadedModel, pictures: list[Picture]) -> Spend:
    stages = Bare(model)
    return lambda: _spent(model, lambda: stages.run(pictures, "off"))


@pytest.fixture
def whole(app: Flask, model: LoadedModel, pictures: list[Picture], models_dir: Path) -> Spend:
    world = TenantWorld.create()
    collection = world.collection()
    uris = [world.put(f"{n}.jpg", picture.data) for n, picture in enumerate(pictures)]
    pipeline = RecognitionPipeline(VisionSettings(models_dir=models_dir), model)
    path = WholePath(app, pipeline)

    def run() -> float:
        items = [ItemRequest(str(n), image=uri) for n, uri in enumerate(uris)]
        job_id = world.submit(
            Operation.IDENTIFY,
            *items,
            collection_id=collection,
            options=JobOptions(rotation="off"),
        )
        answers = []
        spent = _spent(model, lambda: answers.append(path.run(str(job_id), {})))
        assert answers[0]["closed"] == _PICTURES
        return spent

    return run


def _spent(model: LoadedModel, work: Callable[[], object]) -> float:
    """Processor seconds of this process and its decode helper."""
    before = time.process_time() + model.decoder.cpu_seconds()
    work()
    return time.process_time() + model.decoder.cpu_seconds() - before


def _ratio(bare: Spend, whole: Spend) -> float:
    bare(), whole()
    rounds = [(bare(), whole()) for _ in range(_ROUNDS)]
    return min(spent for spent, _ in rounds) / min(spent for _, spent in rounds)


def test_the_whole_path_keeps_three_quarters_of_the_bare_rate(bare: Spend, whole: Spend) -> None:
    assert _ratio(bare, whole) >= _LOWEST_RATIO


def test_a_pipeline_that_wastes_half_of_what_an_image_costs_is_noticed(
    bare: Spend, whole: Spend, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = load_images.read_image_header
    wasted = 0.5 * min(bare() for _ in range(_ROUNDS)) / _PICTURES

    def waste(data: bytes, **limits: int) -> object:
        until = time.thread_time() + wasted
        while time.thread_time() < until:
            pass
        return read(data, **limits)

    monkeypatch.setattr(load_images, "read_image_header", waste)
    assert _ratio(bare, whole) < _LOWEST_RATIO
