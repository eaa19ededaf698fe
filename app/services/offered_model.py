"""A part of every use case that names a model: the one that this installation offers."""

from __future__ import annotations

from flask import current_app

from app.config import Settings
from app.domain.errors import FieldError, ModelError, ModelUnavailable
from app.domain.model_registry import ModelEntry, load_registry


def offered_model(name: str | None) -> ModelEntry:
    """Find the model that a client names, or else FACE_RECOGNITION_MODEL.

    Raises:
        ModelUnavailable: unknown, without weights, or of a licence that the operator refuses.
    """
    settings: Settings = current_app.config["SETTINGS"]
    try:
        registry = load_registry(settings.models_dir, flip_averaging=settings.face_flip_averaging)
        entry = registry.model(name or settings.face_recognition_model)
        entry.require_licence(allow_noncommercial=settings.allow_noncommercial_models)
        _ = entry.identity  # raises when the weights have no digest yet
    except ModelError as error:
        raise ModelUnavailable(str(error), errors=(FieldError("/model", str(error)),)) from error
    return entry
