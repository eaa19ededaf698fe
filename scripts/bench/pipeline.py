"""Measures the recognition pipeline on one core: `python -m scripts.bench.pipeline --json`.

Interleaved in one run, so that a busy machine harms all alike: the bare rate (the stage functions
in a loop, bytes in memory), the pipeline (threads, decode helper, batches), and DeepFace.represent
called once a picture with the same weights and detector. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

import click

from app.domain.image_header import read_image_header
from scripts.bench.pictures import Picture, mixed_pictures
from workers.vision.align import align
from workers.vision.decode import decode_in_process
from workers.vision.decode_apart import ApartDecoder
from workers.vision.find_faces import find_faces
from workers.vision.pipeline import (
    ImageInput,
    PipelineOptions,
    RecognitionPipeline,
    VisionSettings,
    build_pipeline,
)
from workers.vision.quality import face_quality
from workers.vision.results import Rotation

_PACKAGES = ("onnxruntime", "openvino", "opencv-contrib-python-headless", "numpy", "deepface")


class Bare:
    """The stages in a plain loop, each timed."""

    def __init__(self, pipeline: RecognitionPipeline) -> None:
        self._loaded = pipeline._loaded  # noqa: SLF001 - the bench looks inside on purpose
        self.seconds: dict[str, float] = defaultdict(float)

    def run(self, pictures: list[Picture], rotation: Rotation) -> int:
        """Recognise each picture's faces, one picture after the other; return how many."""
        found = 0
        for picture in pictures:
            options = _options(picture, rotation)
            with self._timed("decode"):
                pixels = decode_in_process(picture.data, read_image_header(picture.data))
            with self._timed("detect"):
                (faces,) = find_faces(self._loaded.detector, [pixels], [options])
            with self._timed("align"):
                crops = [align(pixels, landmarks) for landmarks in faces.landmarks]
            with self._timed("quality"):
                for crop, points, score in zip(crops, faces.landmarks, faces.scores, strict=True):
                    face_quality(crop, points, float(score))
            with self._timed("embed"):
                self._loaded.recogniser.embed(crops)
            found += len(crops)
        return found

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - begin


def _options(picture: Picture, rotation: Rotation) -> PipelineOptions:
    return PipelineOptions(min_face=picture.min_face, rotation=rotation)


def _run_pipeline(
    pipeline: RecognitionPipeline, pictures: list[Picture], rotation: Rotation
) -> int:
    inputs = (
        ImageInput(n, lambda data=picture.data: data, _options(picture, rotation))  # type: ignore[misc] # mypy cannot type a lambda's default
        for n, picture in enumerate(pictures)
    )
    return sum(len(result.faces) for batch in pipeline.run(inputs) for result in batch)


class Rival:
    """A DeepFace process that runs pictures on request."""

    def __init__(self, folder: Path, home: Path, threads: str) -> None:
        environment = {
            **os.environ,
            "DEEPFACE_HOME": str(home),
            "DEEPFACE_BACKEND_ENGINE": "onnx",
            "DEEPFACE_LOG_LEVEL": "50",
        }
        command = [sys.executable, "-m", "scripts.bench.deepface_rival", str(folder), threads]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment, text=True
        )
        self._answer()

    def run(self, count: int) -> tuple[float, float, int]:
        """Return seconds, processor seconds and faces of the next `count` pictures."""
        if self._process.stdin is None:
            raise RuntimeError("the DeepFace process has no input")
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        wall, cpu, faces = self._answer().split()
        return float(wall), float(cpu), int(faces)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _answer(self) -> str:
        if self._process.stdout is None:
            raise RuntimeError("the DeepFace process has no output")
        while not self._process.stdout.readable() or (line := self._process.stdout.readline()):
            if line[0].isdigit() or line == "ready\n":
                return line
        raise RuntimeError("the DeepFace process ended; is deepface installed?")


def _rivals(stack: ExitStack, pictures: list[Picture], models_dir: Path) -> dict[str, Rival]:
    """Start DeepFace twice, at one thread and as installed, on copies of the same weights."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    weights = folder / ".deepface" / "weights"
    weights.mkdir(parents=True)
    for ours, theirs in (
        ("yunet_2023mar_fp32.onnx", "face_detection_yunet_2023mar.onnx"),
        ("sface_2021dec_fp32.onnx", "face_recognition_sface_2021dec.onnx"),
    ):
        (weights / theirs).symlink_to((models_dir / ours).resolve())
    for number, picture in enumerate(pictures):
        (folder / f"{number:06}.jpg").write_bytes(picture.data)
    rivals = {name: Rival(folder, folder, name) for name in ("ONE", "DEFAULT")}
    for rival in rivals.values():
        stack.callback(rival.close)
    return rivals


@click.command()
@click.option("--images", default=128, show_default=True, help="Pictures in all.")
@click.option("--shard", default=32, show_default=True, help="Pictures in a run of the pipeline.")
@click.option("--engine", default="auto", show_default=True)
@click.option("--rotation", type=click.Choice(["off", "gated", "full"]), default="off")
@click.option("--small", is_flag=True, help="Only pictures below 0.5 megapixels.")
@click.option("--deepface/--no-deepface", default=True, show_default=True)
@click.option("--core", default=0, show_default=True, help="The core that everything runs on.")
@click.option("--portraits", default=".facequeue/portraits", type=click.Path(path_type=Path))
@click.option("--models-dir", default=".facequeue/models", type=click.Path(path_type=Path))
@click.option("--json", "compact", is_flag=True, help="On one line.")
def main(  # noqa: PLR0913 - one parameter an option
    *,
    images: int,
    shard: int,
    engine: str,
    rotation: str,
    small: bool,
    deepface: bool,
    core: int,
    portraits: Path,
    models_dir: Path,
    compact: bool,
) -> None:
    """Measure bare rate, pipeline and DeepFace on the same pictures."""
    os.sched_setaffinity(0, {core})
    pictures = mixed_pictures(portraits, images, largest=500_000 if small else 10**9)
    settings = VisionSettings(models_dir=models_dir, engine=cast("Any", engine))
    pipeline = build_pipeline(settings)
    with ExitStack() as stack:
        rivals = _rivals(stack, pictures, models_dir) if deepface else {}
        report = _measured(pipeline, pictures, shard, cast("Rotation", rotation), rivals)
    report |= {
        "engine": pipeline.engine,
        "rotation": rotation,
        "shard": shard,
        "versions": dict(_versions()),
    }
    click.echo(json.dumps(report, indent=None if compact else 2))


def _measured(
    pipeline: RecognitionPipeline,
    pictures: list[Picture],
    shard: int,
    rotation: Rotation,
    rivals: dict[str, Rival],
) -> dict[str, Any]:
    bare = Bare(pipeline)
    bare.run(pictures[:8], rotation)  # warm
    _run_pipeline(pipeline, pictures[:8], rotation)
    bare.seconds.clear()
    spent: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    for start in range(0, len(pictures), shard):
        part = pictures[start : start + shard]
        runs: dict[str, Callable[[], int]] = {
            "bare": partial(bare.run, part, rotation),
            "pipeline": partial(_run_pipeline, pipeline, part, rotation),
        }
        for name, run in runs.items():
            wall, cpu = time.perf_counter(), _cpu_seconds(pipeline)
            faces = run()
            used = _cpu_seconds(pipeline) - cpu
            spent[name].append((time.perf_counter() - wall, used, faces))
        for name, rival in rivals.items():
            spent[name].append(rival.run(len(part)))
    return _report(spent, bare.seconds, len(pictures))


def _report(
    spent: dict[str, list[tuple[float, float, int]]], stages: dict[str, float], count: int
) -> dict[str, Any]:
    """State rates by the clock, and processor time, which a busy machine hardly changes."""
    rate = {name: count / sum(wall for wall, *_ in values) for name, values in spent.items()}
    cpu = {name: sum(used for _, used, _ in values) / count for name, values in spent.items()}
    faces = {name: sum(found for *_, found in values) for name, values in spent.items()}
    report: dict[str, Any] = {
        "bare_ips": round(rate["bare"], 2),
        "pipeline_ips": round(rate["pipeline"], 2),
        "ratio": round(rate["pipeline"] / rate["bare"], 3),
        "stage_ms": {name: round(1000 * value / count, 2) for name, value in stages.items()},
        "cpu_s_per_image": round(cpu["pipeline"], 4),
        "cpu_ratio": round(cpu["bare"] / cpu["pipeline"], 3),
        "rss_mb": _resident_mb(),
        "faces": faces,
    }
    for name, key in (("ONE", "deepface"), ("DEFAULT", "deepface_default")):
        if name in rate:
            report[f"{key}_ips"] = round(rate[name], 2)
            report[f"vs_{key}"] = round(rate["pipeline"] / rate[name], 2)
            report[f"cpu_vs_{key}"] = round(cpu[name] / cpu["pipeline"], 2)
    return report


def _cpu_seconds(pipeline: RecognitionPipeline) -> float:
    """Return the processor time used by this process and its decode helper."""
    used = time.process_time()
    decoder = pipeline._loaded.decoder  # noqa: SLF001 - the bench looks inside on purpose
    if isinstance(decoder, ApartDecoder):
        used += decoder.cpu_seconds()
    return used


def _resident_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def _versions() -> Iterator[tuple[str, str]]:
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue


if __name__ == "__main__":
    main()
