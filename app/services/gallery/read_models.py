"""Use case: a client reads which models it can choose for a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import current_app

from app.config import Settings
from app.database.transactions import read_transaction
from app.domain.errors import ModelError
from app.domain.model_registry import ModelEntry, load_registry
from app.queries.queue_depth import live_slots


@dataclass(frozen=True)
class OfferedModel:
    """A model of this installation; `live`: a worker that has it loaded was seen just now."""

    entry: ModelEntry
    identity: str
    default: bool
    live: bool


def list_models(tenant_id: UUID) -> Sequence[OfferedModel]:
    """Read the models that new collections may have: installed, and of a licence allowed here."""
    settings: Settings = current_app.config["SETTINGS"]
    registry = load_registry(settings.models_dir, flip_averaging=settings.face_flip_averaging)
    with read_transaction(tenant_id) as session:
        slots = live_slots(session)
    return [
        OfferedModel(entry, identity, name == settings.face_recognition_model, identity in slots)
        for name, entry in registry.models.items()
        if (identity := _identity(entry, settings))
    ]


def _identity(entry: ModelEntry, settings: Settings) -> str | None:
    try:
        entry.require_licence(allow_noncommercial=settings.allow_noncommercial_models)
        identity = entry.identity
    except ModelError:
        return None
    return identity
