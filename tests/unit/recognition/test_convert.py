"""What a job asks of the pipeline, and how its answer is handed on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from app.config import Settings
from app.domain.job_options import JobOptions
from app.domain.states import Operation
from workers.recognition.convert import found_image, pipeline_options
from workers.vision.results import Box, FaceResult, ImageResult


def asked(operation: Operation = Operation.IDENTIFY, **options: Any) -> dict[str, Any]:
    settings = SimpleNamespace(
        face_detection_confidence=0.55, face_rotation="full", anti_spoofing_enabled=False
    )
    made = pipeline_options(operation, JobOptions(**options), cast("Settings", settings))
    return vars(made)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_faces", 3),
        ("min_quality", 0.4),
        ("min_face", 90),
        ("rotation", "off"),
        ("liveness", True),
        ("attributes", ("age",)),
    ],
)
def test_what_the_client_chose_reaches_the_pipeline(name: str, value: object) -> None:
    assert asked(**{name: value})[name] == value


def test_what_the_client_left_open_is_the_operators() -> None:
    options = asked()
    assert (options["detection_confidence"], options["rotation"]) == (0.55, "full")


def test_only_enrolling_one_face_looks_for_a_second() -> None:
    assert asked(Operation.ENROL, max_faces=1)["max_faces"] == 2
    assert asked(Operation.ENROL, max_faces=1, enrol_faces="largest")["max_faces"] == 1
    assert asked(Operation.IDENTIFY, max_faces=1)["max_faces"] == 1


def test_detection_alone_embeds_nothing() -> None:
    embeds = {operation: asked(operation)["embed"] for operation in Operation}
    assert [operation for operation in Operation if not embeds[operation]] == [Operation.DETECT]


def test_a_face_is_handed_on_with_its_box_its_points_and_its_embedding() -> None:
    points = np.arange(10, dtype=np.float32).reshape(5, 2)
    face = FaceResult(0, Box(1, 2, 30, 40), points, 0.9, 0.8, np.array([0.6, 0.8]), None)
    image = found_image(ImageResult("it", "ab" * 32, 640, 480, (face,), None))
    assert image is not None
    assert (image.sha256, image.width, image.height) == (b"\xab" * 32, 640, 480)
    (found,) = image.faces
    assert found.box == (1, 2, 30, 40)
    assert found.landmarks == tuple(range(10))
    assert found.embedding == (0.6, 0.8)


def test_an_image_whose_bytes_never_came_is_none() -> None:
    assert found_image(ImageResult("it", "", 0, 0, (), None)) is None
