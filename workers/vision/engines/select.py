"""Chooses the inference engine."""

from __future__ import annotations

from app.domain.errors import ModelError
from workers.vision.engines.base import Engine
from workers.vision.engines.onnx_runtime import OnnxRuntimeEngine
from workers.vision.settings import VisionSettings


def engine_named(settings: VisionSettings) -> Engine:
    """Return the engine that runs ONNX files under these settings.

    "auto" is ONNX Runtime. With "tensorflow" the detector, which is an ONNX file, still runs there.

    Raises:
        ModelError: the engine's package is not installed.
    """
    try:
        if settings.engine == "openvino":
            from workers.vision.engines.openvino import OpenVinoEngine

            return OpenVinoEngine(threads=settings.threads)
        return OnnxRuntimeEngine(threads=settings.threads, device=settings.device)
    except ImportError as error:
        raise ModelError(f"FACE_ENGINE={settings.engine}: {error}. Install the package") from error
