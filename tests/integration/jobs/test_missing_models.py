"""What happens where a model is asked for, or configured, that is not installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest
from app.domain.states import Operation
from tests.factories.tenant_world import TenantWorld
from tests.support.processes import Processes

pytestmark = pytest.mark.stack


@pytest.mark.usefixtures("workers")
def test_without_a_model_asking_for_liveness_fails_the_item(
    world: TenantWorld, portraits: Path
) -> None:
    photo = world.put("obama.jpg", (portraits / "obama.jpg").read_bytes())

    job = world.run(Operation.DETECT, ItemRequest("a", photo), options=JobOptions(liveness=True))

    item = world.items(job.id)["a"]
    assert (item.state, item.error_code) == ("failed", "liveness_unavailable")
    assert world.faces(job.id, "a") == []


@pytest.mark.parametrize(
    ("name", "value", "command"),
    [
        ("ANTI_SPOOFING_ENABLED", "true", "models install MiniFASNet"),
        ("FACE_RECOGNITION_MODEL", "ArcFace", "ALLOW_NONCOMMERCIAL_MODELS"),
    ],
)
def test_a_worker_that_lacks_what_it_is_configured_to_run_does_not_start(
    programs: Processes, models_dir: Path, tmp_path: Path, name: str, value: str, command: str
) -> None:
    environment = {**programs.environment, "MODELS_DIR": str(models_dir), name: value}
    refused = Processes(programs.programs, environment, tmp_path)

    refused.start("recognition")

    assert refused.running["recognition"].wait(60) == 1
    assert command in refused.log("recognition").read_text()
