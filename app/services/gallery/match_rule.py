"""What makes a match for a job at this moment: from its collection, or from its model."""

from __future__ import annotations

from flask import current_app

from app.domain.matching import MatchRule, false_match_rate_for_fpir
from app.domain.model_registry import ModelEntry, load_registry
from app.models.collection import Collection


def model_entry(identity: str) -> ModelEntry:
    """The registry's entry for `name@digest`.

    Raises:
        ModelUnknown: the name is not in the registry.
    """
    name, _, _digest = identity.partition("@")
    return load_registry(current_app.config["SETTINGS"].models_dir).model(name)


def match_rule(identity: str, collection: Collection | None) -> MatchRule:
    """The collection's threshold, or the one that holds its target FPIR at its present size.

    Without a collection (one-to-one by reference) the model's default threshold holds.
    """
    entry = model_entry(identity)
    threshold = entry.default_threshold
    if collection is not None and collection.threshold is not None:
        threshold = collection.threshold
    elif collection is not None and collection.target_fpir is not None:
        rate = false_match_rate_for_fpir(collection.target_fpir, collection.face_count)
        threshold = entry.calibration.threshold(rate)
    return MatchRule(threshold, entry.calibration.false_match_rate)
