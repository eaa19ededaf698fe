"""A part of every use case that names a model: the one that this installation offers."""

from __future__ import annotations

from flask import current_app

from app.config import Settings
from app.domain.errors import (
    ModelError,
    ModelUnknown,
)
from app.domain.model_registry import ModelEntry, load_registry
from app.domain.request_errors import (
    FieldError,
    ModelUnavailable,
)


def offered_model(name: str | None) -> ModelEntry:
    """Find the model that a client names, or else FACE_RECOGNITION_MODEL.

    It may be named `name` or, as our answers do, `name@digest`.

    Raises:
        ModelUnavailable: unknown, without weights, or of a licence that the operator refuses.
    """
    settings: Settings = current_app.config["SETTINGS"]
    try:
        registry = load_registry(settings.models_dir, flip_averaging=settings.face_flip_averaging)
        wanted = settings.face_recognition_model if name is None else name
        entry = registry.model(wanted.partition("@")[0])
        entry.require_licence(allow_noncommercial=settings.allow_noncommercial_models)
        if wanted not in {entry.name, entry.identity}:
            raise ModelUnknown(f"There is no model {wanted!r}; {entry.name} is {entry.identity}")
    except ModelError as error:
        raise ModelUnavailable(str(error), errors=(FieldError("/model", str(error)),)) from error
    return entry
