"""The GPU's code path, on the CPU provider: batches, bound buffers, one GPU a child."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from app.domain.errors import ModelError
from workers.recognition.gpu import gpu_of
from workers.vision.engines import bound, gpu_memory
from workers.vision.engines.bound import BoundGraph
from workers.vision.engines.onnx_runtime import OnnxRuntimeEngine, OnnxRuntimeGraph
from workers.vision.pipeline import ImageInput, PipelineOptions, VisionSettings, build_pipeline

GIB = 1 << 30


@pytest.fixture
def graphs(models_dir: Path) -> Callable[[str], tuple[OnnxRuntimeGraph, BoundGraph]]:
    def load(name: str) -> tuple[OnnxRuntimeGraph, BoundGraph]:
        providers = ["CPUExecutionProvider"]
        session = onnxruntime.InferenceSession(str(models_dir / name), providers=providers)
        return OnnxRuntimeGraph(session), BoundGraph(session, device="cpu", batch_size=8)

    return load


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a program called nvidia-smi on the PATH that prints this and records its arguments."""

    def install(answer: str) -> Path:
        program, asked = tmp_path / "nvidia-smi", tmp_path / "asked"
        program.write_text(f'#!/bin/sh\necho "$@" > {asked}\nprintf "{answer}"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        return asked

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return install


@pytest.mark.parametrize("count", [1, 2, 8, 9])
def test_a_bound_batch_gives_what_the_plain_session_gives(
    graphs: Callable[[str], tuple[OnnxRuntimeGraph, BoundGraph]], count: int
) -> None:
    plain, on_device = graphs("sface_2021dec_fp32.onnx")
    batch = np.random.default_rng(1).uniform(0, 255, (count, 3, 112, 112)).astype(np.float32)
    ((name, expected),) = plain.run(batch).items()
    found = on_device.run(batch)
    assert found[name].shape == (count, 128)
    assert np.allclose(found[name], expected, atol=1e-3)


def test_an_answer_stays_when_the_next_batch_is_computed(
    graphs: Callable[[str], tuple[OnnxRuntimeGraph, BoundGraph]],
) -> None:
    _, on_device = graphs("sface_2021dec_fp32.onnx")
    pictures = np.random.default_rng(1).uniform(0, 255, (2, 1, 3, 112, 112)).astype(np.float32)
    (first,) = on_device.run(pictures[0]).values()
    before = first.copy()
    on_device.run(pictures[1])
    assert (first == before).all()


def test_the_detector_keeps_buffers_for_a_few_shapes_only(
    graphs: Callable[[str], tuple[OnnxRuntimeGraph, BoundGraph]],
) -> None:
    plain, on_device = graphs("yunet_2023mar_fp32.onnx")
    for side in range(32, 32 * 13, 32):
        picture = np.full((1, 3, side, 64), 90, np.float32)
        expected, found = plain.run(picture), on_device.run(picture)
        assert all(np.allclose(found[name], expected[name], atol=1e-4) for name in expected)
    assert len(on_device._places) == bound._KEPT_SHAPES


def test_the_whole_pipeline_runs_on_bound_graphs(
    models_dir: Path, portraits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = VisionSettings(models_dir=models_dir, engine="onnxruntime", batch_size=4)
    names = ["astronaut.png", "obama.jpg", "biden.jpg", "grace_hopper.jpg", "obama2.jpg"]
    images = [ImageInput(n, (portraits / n).read_bytes, PipelineOptions()) for n in names]
    plain = {r.key: r for batch in build_pipeline(settings).run(images) for r in batch}
    monkeypatch.setattr(
        "workers.vision.engines.onnx_runtime.OnnxRuntimeGraph",
        lambda session: BoundGraph(session, device="cpu", batch_size=32),
    )
    on_device = {r.key: r for batch in build_pipeline(settings).run(images) for r in batch}
    for name in names:
        one, other = plain[name].faces[0], on_device[name].faces[0]
        assert one.embedding @ other.embedding >= 0.9999


@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_a_device_whose_provider_is_not_installed_is_refused(models_dir: Path, device: str) -> None:
    if onnxruntime.get_device() == "GPU":
        pytest.skip("this host has the GPU package")
    with pytest.raises(ModelError, match=r"requirements-gpu\.txt"):
        OnnxRuntimeEngine(device=device).load(models_dir / "sface_2021dec_fp32.onnx")


@pytest.mark.parametrize(
    ("free", "batch"),
    [(None, 32), (80 * GIB, 64), (8 * GIB, 64), (7 * GIB, 32), (3 * GIB, 16), (GIB, 8)],
)
def test_the_batch_follows_the_free_memory(free: int | None, batch: int) -> None:
    assert gpu_memory.gpu_batch(free) == batch


def test_free_memory_is_asked_of_the_gpu_this_process_sees(
    nvidia_smi: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = nvidia_smi("40000\\n")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,4")
    assert gpu_memory.free_gpu_bytes() == 40000 << 20
    assert asked.read_text().split()[-2:] == ["-i", "3"]


def test_without_nvidia_smi_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpu_memory.free_gpu_bytes() is None
    with pytest.raises(ModelError, match="finds none"):
        gpu_memory.gpu_names()


def test_each_child_gets_a_gpu_of_its_own(
    nvidia_smi: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    nvidia_smi("0\\n1\\n")
    assert [gpu_of(child, gpu_memory.gpu_names()) for child in range(3)] == ["0", "1", "0"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a, GPU-b")
    assert [gpu_of(child, gpu_memory.gpu_names()) for child in range(2)] == ["GPU-a", "GPU-b"]


def test_pages_are_locked_only_where_cuda_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bound, "_CUDA_RUNTIMES", ("libno-such-runtime.so",))
    assert bound.pin(np.zeros(4, np.float32)) is False
