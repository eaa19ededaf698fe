"""Which faces an operation wants of an image, and the error when they are not there."""

from __future__ import annotations

from dataclasses import replace

from app.domain.errors import ItemError, LowQuality, MultipleFaces, NoFace
from app.domain.job_options import JobOptions
from app.domain.outcomes import FoundFace, FoundImage, ItemOutcome
from app.domain.states import EnrolFaces, Operation


def judge(operation: Operation, options: JobOptions, outcome: ItemOutcome) -> ItemOutcome:
    """Turn an outcome that the operation cannot use into the item error that says why.

    `detect` and `identify` take whatever is there, an empty list too; `enrol` and `verify` need a
    face that is good enough, and `enrol` with `only` needs exactly one.
    """
    if outcome.error is not None or outcome.image is None:
        return outcome
    try:
        if operation is Operation.ENROL:
            faces = faces_to_enrol(options, outcome.image)
            return replace(outcome, image=replace(outcome.image, faces=faces))
        if operation is Operation.VERIFY:
            _good_faces(options, outcome.image, "image")
            if outcome.reference is not None:
                _good_faces(options, outcome.reference, "reference")
    except ItemError as error:
        return ItemOutcome(outcome.seq, outcome.image, outcome.reference, error)
    return outcome


def faces_to_enrol(options: JobOptions, image: FoundImage) -> tuple[FoundFace, ...]:
    """The faces of an enrolment image that become gallery faces.

    Raises:
        NoFace, MultipleFaces, LowQuality: the image does not show what is wanted.
    """
    good = _good_faces(options, image, "image")
    if options.enrols is EnrolFaces.ALL:
        return good
    if options.enrols is EnrolFaces.ONLY and len(image.faces) > 1:
        raise MultipleFaces(
            f"the image shows {len(image.faces)} faces; enrol one, or set options.enrol_faces"
        )
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
