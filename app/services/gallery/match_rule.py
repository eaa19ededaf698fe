"""What makes a match for a job at this moment: from its collection, or from its model."""

from __future__ import annotations

from flask import current_app

from app.domain.calibration import Calibration
from app.domain.calibration_files import calibration_in_use
from app.domain.matching import (
    MatchRule,
    ThresholdReason,
    ThresholdRule,
    false_match_rate_for_fpir,
)
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

    Raises:
        ModelUnknown: the name is not in the registry.
        CalibrationInvalid: the calibration that was chosen for the model is gone or damaged.
    """
    entry = model_entry(identity)
    models_dir = current_app.config["SETTINGS"].models_dir
    calibration = calibration_in_use(models_dir, identity, entry.calibration)
    if collection is None:
        return _rule(calibration, entry.default_threshold, ThresholdRule.MODEL_DEFAULT)
    if collection.target_fpir is not None:
        rate = false_match_rate_for_fpir(collection.target_fpir, collection.face_count)
        threshold = calibration.threshold(rate)
        return _rule(calibration, threshold, ThresholdRule.TARGET_FPIR, collection)
    threshold = entry.default_threshold if collection.threshold is None else collection.threshold
    return _rule(calibration, threshold, ThresholdRule.THRESHOLD, collection)


def _rule(
    calibration: Calibration,
    threshold: float,
    rule: ThresholdRule,
    collection: Collection | None = None,
) -> MatchRule:
    rate = calibration.false_match_rate(threshold)
    reason = ThresholdReason(
        rule=rule,
        target_fpir=collection.target_fpir if collection else None,
        faces=collection.face_count if collection else None,
        fmr=rate,
        fmr_basis=calibration.basis(rate),
        calibration=calibration.version,
    )
    return MatchRule(threshold, calibration, reason)
