"""What the pipeline needs to know about its machine and its model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.domain.image_header import MAX_PIXELS

Liveness = Literal["off", "installed", "required"]
EngineName = Literal["auto", "onnxruntime", "openvino", "tensorflow"]


@dataclass(frozen=True)
class VisionSettings:
    """How a worker process recognises faces.

    Attributes:
        model: name of the recogniser in the registry.
        models_dir: where `models install` puts verified weights.
        engine: which library runs the networks; "auto" takes the best one installed.
        device: "cuda" or "tensorrt" runs ONNX Runtime on the GPU this process sees.
        flip_averaging: embed each face mirrored too, and take the mean; another model identity.
        threads: threads of each library; with one process a core, 1.
        fetch_threads: images fetched and decoded at a time.
        batch_size: images in one list of results, which the caller commits together.
        max_bytes: largest image file accepted.
        max_pixels: largest width times height accepted.
        decode_helpers: processes that decode; 0 decodes in this process, without their limits.
        decode_seconds: after this an image's decoding is given up; above 50 megapixels later.
        pixel_budget: bytes of decoded pixels that may wait at a time.
        allow_noncommercial: the operator accepts licences that forbid commercial use.
        liveness: "off" offers no liveness check, "installed" does where its model is installed,
            "required" refuses to load without it.
        liveness_model: its name in the registry.
    """

    model: str = "SFace"
    models_dir: Path = Path(".facequeue/models")
    engine: EngineName = "auto"
    device: Literal["cpu", "cuda", "tensorrt"] = "cpu"
    flip_averaging: bool = False
    threads: int = 1
    fetch_threads: int = 4
    batch_size: int = 32
    max_bytes: int = 50_000_000
    max_pixels: int = MAX_PIXELS
    decode_helpers: int = 1
    decode_seconds: float = 15.0
    pixel_budget: int = 100_000_000
    allow_noncommercial: bool = False
    liveness: Liveness = "installed"
    liveness_model: str = "MiniFASNet"
