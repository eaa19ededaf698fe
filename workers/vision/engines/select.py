"""Chooses the inference engine, and says why."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from app.domain.errors import ModelError
from workers.vision.engines.interface import Engine
from workers.vision.engines.onnx_runtime import OnnxRuntimeEngine
from workers.vision.engines.openvino import FACE_BATCH, OpenVinoEngine, computes_bf16
from workers.vision.settings import VisionSettings


@dataclass(frozen=True)
class EngineChoice:
    """What runs the detector and the recogniser's graph, and the reason in words."""

    detector: Engine
    recogniser: Engine
    reason: str


def choose_engines(settings: VisionSettings) -> EngineChoice:
    """Return the engines for ONNX files under these settings.

    "auto" runs the recogniser in OpenVINO where it is installed, which fuses SFace's activations
    into its convolutions and computes in bf16 where the processor does. The detector is faster in
    ONNX Runtime, with bf16 instructions (7.3 ms against 10.4 at 640 x 480) or without; bf16 itself
    moves its landmarks by up to 9 px, so that only the recogniser uses it. With "tensorflow" the
    detector, which is an ONNX file, still runs in ONNX Runtime.

    Raises:
        ModelError: the engine's package is not installed.
    """
    if settings.engine == "openvino":
        if not importlib.util.find_spec("openvino"):
            raise ModelError("FACE_ENGINE=openvino, but the package openvino is not installed")
        return _openvino(settings, "FACE_ENGINE asks for it")
    if settings.engine == "auto" and settings.device == "cpu":
        if not importlib.util.find_spec("openvino"):
            return _onnx_runtime(settings, "openvino is not installed")
        return _mixed(settings, "OpenVINO embeds faster, ONNX Runtime detects faster")
    return _onnx_runtime(settings, f"FACE_ENGINE={settings.engine}, device {settings.device}")


def _onnx_runtime(settings: VisionSettings, reason: str) -> EngineChoice:
    engine = OnnxRuntimeEngine(threads=settings.threads, device=settings.device)
    return EngineChoice(engine, engine, reason)


def _openvino(settings: VisionSettings, reason: str) -> EngineChoice:
    return EngineChoice(OpenVinoEngine(threads=settings.threads), _embedding(settings), reason)


def _mixed(settings: VisionSettings, reason: str) -> EngineChoice:
    return EngineChoice(OnnxRuntimeEngine(threads=settings.threads), _embedding(settings), reason)


def _embedding(settings: VisionSettings) -> OpenVinoEngine:
    precision = "bf16" if computes_bf16() else "fp32"
    return OpenVinoEngine(threads=settings.threads, precision=precision, batch=FACE_BATCH)
