from __future__ import annotations

import hashlib
import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.domain.item_errors import (
    ImageNotFound,
    LivenessUnavailable,
)
from workers.vision.pipeline import (
    ImageInput,
    PipelineOptions,
    RecognitionPipeline,
    VisionSettings,
    build_pipeline,
)
from workers.vision.results import ImageResult

OPTIONS = PipelineOptions()


@pytest.fixture(scope="module")
def astronaut(portraits: Path) -> bytes:
    return (portraits / "astronaut.png").read_bytes()


def inputs(*contents: bytes) -> list[ImageInput]:
    return [ImageInput(i, lambda data=data: data, OPTIONS) for i, data in enumerate(contents)]


def by_key(batches: Iterable[list[ImageResult]]) -> dict:
    return {result.key: result for batch in batches for result in batch}


def test_a_result_says_what_was_seen(pipeline: RecognitionPipeline, astronaut: bytes) -> None:
    result = by_key(pipeline.run(inputs(astronaut)))[0]
    (face,) = result.faces
    assert result.error is None
    assert (result.width, result.height) == (512, 512)
    assert result.sha256 == hashlib.sha256(astronaut).hexdigest()
    assert face.face_no == 0
    assert face.landmarks.shape == (5, 2)
    assert face.embedding.shape == (pipeline.dimensions,)
    assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5)
    assert 0.7 <= face.detection_confidence <= 1
    assert 0 <= face.quality <= 1


def test_a_box_lies_inside_the_picture(
    run_one: Callable[..., ImageResult],
    portrait: Callable[[str], np.ndarray],
    encode: Callable[..., bytes],
) -> None:
    picture = portrait("astronaut.png")[60:, 190:260]  # cuts the face on all sides but one
    (face,) = run_one(encode(picture, "png")).faces
    assert face.box.x >= 0
    assert face.box.y >= 0
    assert face.box.x + face.box.width <= picture.shape[1]
    assert face.box.y + face.box.height <= picture.shape[0]


def test_the_seconds_of_networks_are_shared_out_among_the_images_they_looked_at(
    pipeline: RecognitionPipeline, astronaut: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent: dict[str, list[float]] = defaultdict(list)
    monkeypatch.setattr(pipeline, "_observe", lambda stage, seconds: spent[stage].append(seconds))
    grey = cv2.imencode(".png", np.full((200, 200, 3), 128, np.uint8))[1].tobytes()

    results = by_key(pipeline.run(inputs(astronaut, grey, b"no image")))

    seen, empty, unreadable = (results[key].inference_s for key in range(3))
    assert unreadable == 0
    assert 0 < empty < seen
    assert seen + empty == pytest.approx(sum(spent["detect"] + spent["embed"]), rel=0.2)


def test_bad_images_fail_alone(pipeline: RecognitionPipeline, astronaut: bytes) -> None:
    bad = [b"text", astronaut[:5000], b"8BPS" + bytes(50), b""]
    contents = list(itertools.chain.from_iterable((each, astronaut) for each in bad))
    results = by_key(pipeline.run(inputs(*contents)))
    assert [results[i].error.code for i in (0, 2, 4, 6)] == [
        "not_an_image",
        "image_corrupt",
        "unsupported_image",
        "not_an_image",
    ]
    assert all(len(results[i].faces) == 1 for i in (1, 3, 5, 7))


def test_an_image_that_cannot_be_fetched_fails_with_its_own_error(
    pipeline: RecognitionPipeline, astronaut: bytes
) -> None:
    def missing() -> bytes:
        raise ImageNotFound("no such key")

    results = by_key(pipeline.run([ImageInput("gone", missing, OPTIONS), *inputs(astronaut)]))
    assert results["gone"].error.code == "image_not_found"
    assert results["gone"].sha256 == ""
    assert len(results[0].faces) == 1


def test_a_failure_that_is_no_item_error_ends_the_run(pipeline: RecognitionPipeline) -> None:
    def broken() -> bytes:
        raise RuntimeError("a mistake of ours")

    with pytest.raises(RuntimeError, match="a mistake of ours"):
        list(pipeline.run([ImageInput(0, broken, OPTIONS)]))


def test_a_file_above_the_limit_is_too_large(models_dir: Path, astronaut: bytes) -> None:
    small = build_pipeline(VisionSettings(models_dir=models_dir, max_bytes=1000))
    assert by_key(small.run(inputs(astronaut)))[0].error.code == "image_too_large"


def test_a_picture_without_faces_has_no_error_and_no_faces(
    run_one: Callable[..., ImageResult], encode: Callable[..., bytes]
) -> None:
    result = run_one(encode(np.full((200, 200, 3), 90, np.uint8), "jpeg"))
    assert result.faces == ()
    assert result.error is None


def test_results_come_in_lists_of_the_batch_size(
    pipeline: RecognitionPipeline, encode: Callable[..., bytes]
) -> None:
    plain = encode(np.zeros((20, 20, 3), np.uint8), "png")
    assert [len(batch) for batch in pipeline.run(inputs(*[plain] * 10))] == [4, 4, 2]


def test_no_input_gives_no_list(pipeline: RecognitionPipeline) -> None:
    assert list(pipeline.run([])) == []


def test_endless_inputs_are_read_only_a_little_ahead(
    pipeline: RecognitionPipeline, encode: Callable[..., bytes]
) -> None:
    plain = encode(np.zeros((20, 20, 3), np.uint8), "png")
    taken = itertools.count()
    stream = pipeline.run(
        ImageInput(next(taken), lambda: plain, OPTIONS) for _ in itertools.count()
    )
    assert len(next(stream)) == 4
    stream.close()
    assert next(taken) < 4 + 4 * 4


def test_closing_the_run_ends_its_threads(pipeline: RecognitionPipeline, astronaut: bytes) -> None:
    before = threading.active_count()
    stream = pipeline.run(inputs(*[astronaut] * 20))
    next(stream)
    stream.close()
    assert threading.active_count() == before


@pytest.mark.timeout(60)
def test_closing_ends_threads_that_wait_for_the_pixel_budget(
    models_dir: Path, astronaut: bytes
) -> None:
    tight = build_pipeline(VisionSettings(models_dir=models_dir, pixel_budget=1000, batch_size=1))
    stream = tight.run(inputs(*[astronaut] * 20))
    next(stream)
    stream.close()


def test_images_larger_than_the_pixel_budget_still_pass(models_dir: Path, astronaut: bytes) -> None:
    tight = build_pipeline(VisionSettings(models_dir=models_dir, pixel_budget=1000, batch_size=4))
    assert len(by_key(tight.run(inputs(*[astronaut] * 9)))) == 9


def test_faces_below_min_quality_are_reported_without_an_embedding(
    run_one: Callable[..., ImageResult], astronaut: bytes
) -> None:
    (face,) = run_one(astronaut, min_quality=1.0).faces
    assert face.embedding is None
    assert face.quality < 1


def test_detection_alone_embeds_nothing(
    run_one: Callable[..., ImageResult], astronaut: bytes
) -> None:
    (face,) = run_one(astronaut, embed=False).faces
    assert face.embedding is None


@pytest.mark.parametrize("together", [1, 8])
def test_each_image_keeps_its_own_options(
    pipeline: RecognitionPipeline,
    monkeypatch: pytest.MonkeyPatch,
    together: int,
    portrait: Callable[[str], np.ndarray],
    encode: Callable[..., bytes],
) -> None:
    monkeypatch.setattr(pipeline, "_loaded", replace(pipeline._loaded, picture_batch=together))
    canvas = np.full((600, 1100, 3), 90, np.uint8)
    canvas[:512, :512] = portrait("astronaut.png")
    canvas[:600, 560:1072] = cv2.resize(portrait("grace_hopper.jpg"), (512, 600))
    data = encode(canvas, "png")
    results = by_key(
        pipeline.run(
            ImageInput(
                n, lambda: data, PipelineOptions(max_faces=n, detection_confidence=0.6 + n / 10)
            )
            for n in (1, 2)
        )
    )
    assert [len(results[n].faces) for n in (1, 2)] == [1, 2]


def test_asking_for_liveness_without_a_model_is_an_error_never_a_pass(
    run_one: Callable[..., ImageResult], astronaut: bytes
) -> None:
    result = run_one(astronaut, liveness=True)
    assert isinstance(result.error, LivenessUnavailable)
    assert result.faces == ()


def test_liveness_is_unavailable_for_a_picture_without_faces_too(
    run_one: Callable[..., ImageResult], encode: Callable[..., bytes]
) -> None:
    result = run_one(encode(np.zeros((64, 64, 3), np.uint8), "png"), liveness=True)
    assert result.error.code == "liveness_unavailable"


def test_the_pipeline_says_what_it_runs(pipeline: RecognitionPipeline) -> None:
    assert pipeline.model.startswith("SFace@")
    assert pipeline.dimensions == 128
    assert pipeline.engine.split() in (
        ["onnxruntime", "fp32"],
        ["openvino", "fp32"],
        ["openvino", "bf16"],
    )
