"""The model and its engine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from app.settings.group import SettingsGroup


class RecognitionSettings(SettingsGroup):
    """What recognises, on what, and what it may."""

    face_recognition_model: str = Field(default="SFace", description="Model of new collections")
    face_detection_confidence: float = Field(
        default=0.7, ge=0.1, le=0.99, description="Detections below this score are dropped"
    )
    face_engine: Literal["auto", "onnxruntime", "openvino", "tensorflow"] = Field(
        default="auto", description="Inference engine; `auto` takes the best one installed"
    )
    face_device: Literal["cpu", "cuda", "tensorrt"] = Field(
        default="cpu", description="Where ONNX Runtime computes; a GPU needs requirements-gpu.txt"
    )
    face_rotation: Literal["off", "gated", "full"] = Field(
        default="gated", description="Search for turned heads: never, when odd, always"
    )
    face_flip_averaging: bool = Field(
        default=False, description="Embed each face mirrored too; makes it another model"
    )
    search_cache_mb: int = Field(
        default=0,
        ge=0,
        description="Megabytes of galleries that a worker's children share in memory; 0: none",
    )
    models_dir: Path = Field(
        default=Path(".facequeue/models"), description="Where verified model weights lie"
    )
    allow_noncommercial_models: bool = Field(
        default=False, description="Accept models whose licence forbids commercial use"
    )
    liveness_detection_enabled: bool = Field(
        default=True, description="Offer `options.liveness` where a liveness model is installed"
    )
    anti_spoofing_enabled: bool = Field(
        default=False, description="Check liveness in every job; needs a liveness model to start"
    )
