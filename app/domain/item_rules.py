"""Which faces an operation wants of an image, and the error when they are not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.domain.item_errors import (
    ItemError,
    LowQuality,
    MultipleFaces,
    NoFace,
    NotLive,
)
from app.domain.job_options import JobOptions
from app.domain.outcomes import FoundFace, FoundImage, ItemOutcome
from app.domain.states import EnrolFaces, Operation


def judge(operation: Operation, options: JobOptions, outcome: ItemOutcome) -> ItemOutcome:
    """Turn an outcome that the operation cannot use into the item error that says why.

    `detect` and `identify` take whatever is there, an empty list too; `enrol` and `verify` need a
    face that is good enough and, where liveness is checked, live; `enrol` with `only` needs exactly
    one face. The reference of a verification may be a document: its liveness is not checked.
    """
    if outcome.error is not None or outcome.image is None:
        return outcome
    try:
        if operation is Operation.ENROL:
            faces = faces_to_enrol(options, outcome.image)
            return replace(outcome, image=replace(outcome.image, faces=faces))
        if operation is Operation.VERIFY:
            _require_live(_good_faces(options, outcome.image, "image"))
            if outcome.reference is not None:
                _good_faces(options, outcome.reference, "reference")
    except ItemError as error:
        return replace(outcome, error=error)
    return outcome


def faces_to_enrol(options: JobOptions, image: FoundImage) -> tuple[FoundFace, ...]:
    """The faces of an enrolment image that become gallery faces.

    Raises:
        NoFace, MultipleFaces, LowQuality, NotLive: the image does not show what is wanted.
    """
    good = _good_faces(options, image, "image")
    if options.enrols is EnrolFaces.ALL:
        _require_live(good)
        return good
    if options.enrols is EnrolFaces.ONLY and len(image.faces) > 1:
        raise MultipleFaces(
            f"the image shows {len(image.faces)} faces; enrol one, or set options.enrol_faces"
        )
    # The largest is who is meant: when that is a spoof, a live bystander must not take its place.
    _require_live(good[:1])
    return good[:1]


def _good_faces(options: JobOptions, image: FoundImage, role: str) -> tuple[FoundFace, ...]:
    if not image.faces:
        raise NoFace(f"no face of {options.min_face} pixels or more was found in the {role}")
    good = tuple(face for face in image.faces if face.quality >= options.min_quality)
    if not good:
        best = max(face.quality for face in image.faces)
        raise LowQuality(
            f"the best face of the {role} has quality {best:.2f}, below {options.min_quality:.2f}"
        )
    return good


def _require_live(faces: tuple[FoundFace, ...]) -> None:
    """Raise NotLive when every one of these faces was judged not live."""
    best = max((face.liveness for face in faces if face.liveness), key=_score, default=None)
    if best is not None and not best["live"]:
        raise NotLive(
            f"no face was judged live: the best score is {best['score']:.2f}, below "
            f"{best['threshold']:.2f}"
        )


def _score(liveness: dict[str, Any]) -> float:
    return float(liveness["score"])
