"""Liveness through whole jobs, by a worker whose model takes little red for a spoof."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest
from app.domain.model_registry import load_registry
from app.domain.states import JobState, Operation
from tests.factories.liveness_standin import without_red, write_standins
from tests.factories.tenant_world import TenantWorld
from tests.support.processes import WORKERS, Processes, wait_until
from workers.vision.weights.install_weights import Installation

pytestmark = pytest.mark.stack

ASKED = JobOptions(liveness=True)


@pytest.fixture(scope="module")
def with_standins(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with SFace and the stand-ins for MiniFASNet."""
    folder = tmp_path_factory.mktemp("models")
    for file in models_dir.glob("*_fp32.onnx"):
        (folder / file.name).symlink_to(file)
    entry = load_registry().liveness_model("MiniFASNet")
    Installation(folder, write_standins(folder / "given"), print).install(entry)
    return folder


@pytest.fixture(scope="module")
def _checking_worker(_workers: Processes, with_standins: Path, _app: Flask) -> Iterator[Processes]:
    """The session's recognition worker makes room for one that has the model."""
    if _workers.alive("recognition"):
        _workers.stop("recognition")
    own = Processes(
        _workers.programs,
        {**_workers.environment, "MODELS_DIR": str(with_standins)},
        _workers.logs / "liveness",
    )
    own.logs.mkdir(exist_ok=True)
    own.start("recognition")
    yield own
    own.stop_all()


@pytest.fixture
def checking_worker(_checking_worker: Processes, _workers: Processes, app: Flask) -> Processes:
    """The worker with the model, and what gives it work, restarted if a test ended that."""
    del app
    _workers.ensure(*set(WORKERS) - {"recognition"})
    log = _checking_worker.log("recognition")
    wait_until(lambda: " ready." in log.read_text(), seconds=60, what="a worker with the model")
    return _checking_worker


@pytest.fixture
def photos(world: TenantWorld, portraits: Path) -> dict[str, str]:
    """Portraits, and one of them as a spoof, as URIs."""
    names = ("obama.jpg", "obama2.jpg", "biden.jpg")
    uris = {Path(name).stem: world.put(name, (portraits / name).read_bytes()) for name in names}
    return {**uris, "spoof": world.put("spoof.jpg", without_red(portraits / "obama2.jpg"))}


@pytest.mark.usefixtures("checking_worker")
def test_a_result_has_score_decision_threshold_and_model(
    world: TenantWorld, photos: dict[str, str]
) -> None:
    job = world.run(
        Operation.DETECT,
        ItemRequest("live", photos["obama"]),
        ItemRequest("spoof", photos["spoof"]),
        options=ASKED,
    )

    (live,), (spoof,) = world.faces(job.id, "live"), world.faces(job.id, "spoof")
    assert live.liveness is not None
    assert spoof.liveness is not None
    assert live.liveness["live"] is True
    assert spoof.liveness["live"] is False
    assert spoof.liveness["score"] < 0.5 <= live.liveness["score"]
    assert live.liveness["threshold"] == 0.5
    assert live.liveness["model"].startswith("MiniFASNet@")


@pytest.mark.usefixtures("checking_worker")
def test_a_spoof_is_not_enrolled(world: TenantWorld, photos: dict[str, str]) -> None:
    collection = world.collection()

    job = world.run(
        Operation.ENROL,
        ItemRequest("live", photos["obama"], subject="obama"),
        ItemRequest("spoof", photos["spoof"], subject="mallory"),
        collection_id=collection,
        options=ASKED,
    )

    items = world.items(job.id)
    assert job.state == JobState.SUCCEEDED
    assert items["spoof"].error_code == "not_live"
    assert items["live"].error_code is None
    (row,) = world.query("SELECT face_count FROM collections WHERE id = :id", id=collection)
    assert row.face_count == 1


@pytest.mark.usefixtures("checking_worker")
def test_a_spoof_is_compared_with_nobody(world: TenantWorld, photos: dict[str, str]) -> None:
    collection = world.collection()
    world.run(
        Operation.ENROL, ItemRequest("o", photos["obama"], subject="o"), collection_id=collection
    )

    job = world.run(
        Operation.IDENTIFY,
        ItemRequest("live", photos["obama2"]),
        ItemRequest("spoof", photos["spoof"]),
        collection_id=collection,
        options=ASKED,
    )

    (live,), (spoof,) = world.faces(job.id, "live"), world.faces(job.id, "spoof")
    assert live.decision == "match"
    assert (spoof.decision, spoof.matches, spoof.embedding) == (None, None, None)
    assert spoof.liveness is not None
    assert spoof.liveness["live"] is False


@pytest.mark.usefixtures("checking_worker")
def test_of_a_verification_the_probe_is_checked_and_the_reference_is_not(
    world: TenantWorld, photos: dict[str, str]
) -> None:
    job = world.run(
        Operation.VERIFY,
        ItemRequest("spoof probe", photos["spoof"], reference=photos["obama"]),
        ItemRequest("spoof reference", photos["obama"], reference=photos["spoof"]),
        options=ASKED,
    )

    items = world.items(job.id)
    assert items["spoof probe"].error_code == "not_live"
    assert items["spoof probe"].decision is None
    assert items["spoof reference"].decision == "match"
