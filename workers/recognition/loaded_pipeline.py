"""The one recognition pipeline of a child: loaded once, at its start or at its first task."""

from __future__ import annotations

import threading

import structlog
from flask import current_app

from app.config import Settings
from app.domain.model_registry import load_registry
from app.metrics.recognition import record_engine, record_stage
from workers.vision.engines.owners import require_single_owners
from workers.vision.load_model import check_installed
from workers.vision.pipeline import RecognitionPipeline, VisionSettings, build_pipeline
from workers.vision.settings import Liveness

_log = structlog.get_logger(__name__)

_lock = threading.Lock()
_loaded: list[RecognitionPipeline] = []


def configured_model() -> str:
    """The identity of the model that this worker serves; nothing is loaded for it.

    Raises:
        ModelError: the model is unknown or not installed; the message names the command.
    """
    settings: Settings = current_app.config["SETTINGS"]
    registry = load_registry(settings.models_dir, flip_averaging=settings.face_flip_averaging)
    return registry.model(settings.face_recognition_model).identity


def require_usable_models() -> None:
    """Check, loading nothing, that what this worker is configured to run is installed and allowed.

    Raises:
        ModelError: it is not; the message says what to do.
    """
    require_single_owners()
    check_installed(_vision_settings(current_app.config["SETTINGS"]))


def loaded_pipeline() -> RecognitionPipeline:
    """The pipeline, loaded and self-tested on first use; waits when another thread loads it.

    Raises:
        ModelError: the weights are missing, are not the registered ones, or do not compute right.
    """
    with _lock:
        if not _loaded:
            settings: Settings = current_app.config["SETTINGS"]
            pipeline = build_pipeline(_vision_settings(settings), record_stage)
            record_engine(pipeline.model, pipeline.engine, settings.face_device)
            _log.info(
                "model_loaded",
                model=pipeline.model,
                engine=pipeline.engine,
                reason=pipeline.engine_reason,
            )
            _loaded.append(pipeline)
        return _loaded[0]


def _vision_settings(settings: Settings) -> VisionSettings:
    return VisionSettings(
        model=settings.face_recognition_model,
        models_dir=settings.models_dir,
        engine=settings.face_engine,
        device=settings.face_device,
        flip_averaging=settings.face_flip_averaging,
        max_bytes=settings.max_upload_size,
        max_pixels=settings.max_image_pixels,
        allow_noncommercial=settings.allow_noncommercial_models,
        liveness=_liveness(settings),
    )


def _liveness(settings: Settings) -> Liveness:
    if settings.anti_spoofing_enabled:
        return "required"
    return "installed" if settings.liveness_detection_enabled else "off"
